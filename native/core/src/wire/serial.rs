//! A record as serde sees it: a map whose keys have an order and names that are the protocol.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Number, Record};

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map =
            serializer.serialize_map(Some(if self.number.is_some() { 12 } else { 10 }))?;
        map.serialize_entry("logger", &self.logger)?;
        map.serialize_entry("level", &self.level)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("timestamp_ns", &self.timestamp_ns)?;
        map.serialize_entry("filename", &self.filename)?;
        map.serialize_entry("line_number", &self.line_number)?;
        map.serialize_entry("module_path", &self.module_path)?;
        map.serialize_entry("thread_id", &self.thread_id)?;
        map.serialize_entry("thread_name", &self.thread_name)?;
        map.serialize_entry("key_values", &Pairs(&self.key_values))?;
        if let Some(number) = &self.number {
            map.serialize_entry("boot_id", &number.boot_id)?;
            map.serialize_entry("seq", &number.seq)?;
        }
        map.end()
    }
}

struct Pairs<'r, 'a>(&'r [(Cow<'a, str>, Cow<'a, str>)]);

impl Serialize for Pairs<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Record<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the map of a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record<'de>, A::Error> {
        let (mut logger, mut level, mut message) = (None, None, None);
        let (mut boot_id, mut seq) = (None, None);
        let mut record = Record::default();
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "logger" => logger = Some(map.next_value::<&str>()?),
                "level" => level = Some(map.next_value::<&str>()?),
                "message" => message = Some(map.next_value::<&str>()?),
                "timestamp_ns" => record.timestamp_ns = map.next_value()?,
                "filename" => record.filename = map.next_value::<&str>()?.into(),
                "line_number" => record.line_number = map.next_value()?,
                "module_path" => record.module_path = map.next_value::<&str>()?.into(),
                "thread_id" => record.thread_id = map.next_value::<&str>()?.into(),
                "thread_name" => {
                    record.thread_name = map.next_value::<Option<&str>>()?.map(Cow::Borrowed);
                }
                "key_values" => record.key_values = map.next_value::<Entries<'_>>()?.0,
                "boot_id" => boot_id = Some(map.next_value::<&str>()?),
                "seq" => seq = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        record.number = boot_id.zip(seq).map(|(boot_id, seq)| Number {
            boot_id: boot_id.into(),
            seq,
        });
        record.logger = logger
            .ok_or_else(|| A::Error::missing_field("logger"))?
            .into();
        record.level = level
            .ok_or_else(|| A::Error::missing_field("level"))?
            .into();
        record.message = message
            .ok_or_else(|| A::Error::missing_field("message"))?
            .into();
        Ok(record)
    }
}

/// The map in `key_values`.
struct Entries<'de>(Vec<(Cow<'de, str>, Cow<'de, str>)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Entries<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
        // No room is made on the word of a length.
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<&str, &str>()? {
            entries.push((key.into(), value.into()));
        }
        Ok(Entries(entries))
    }
}
