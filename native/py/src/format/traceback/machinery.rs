//! Is the interpreter's machinery for tracebacks – the modules `traceback` and `linecache` and what they use – as the
//! interpreter defined it?
//!
//! Looked over when a record first has an exception or a stack, and refused if anything in it is somebody else's by then.
//! After that each record asks whether it is still so: the dicts of the modules and the classes tell by their generation and
//! tag whether they changed, and functions are compared by what they run. A [`Moment`] tells whether it was so all the time.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use pyo3::prelude::*;
use pyo3::types::{PyModule, PyType};
use smallvec::SmallVec;

use crate::bind;
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Forever, FunctionParts, Obj, Res};
use crate::globals::{self, Module};
use crate::names::Name;
use crate::saved::Saved;

static TRACEBACK: Module = Module::new();
static LINECACHE: Module = Module::new();
static BUILTINS: Module = Module::new();
static STAT: Saved = Saved::new();
static STRING_IO: Saved = Saved::new();

/// Functions of other modules that take part, found in `sys.modules` when asked: some are imported only when an entry is
/// rendered. The first seen is taken for the module's own if it is a function of that module.
static HELPERS: [(Name, Name, Saved); 4] = [
    (Name::textwrap, Name::indent, Saved::new()),
    (Name::textwrap, Name::dedent, Saved::new()),
    (Name::ast, Name::parse, Saved::new()),
    (Name::_colorize, Name::get_theme, Saved::new()),
];

/// Names of `linecache`'s dict that hold its state, which is read when needed.
const STATE: [&str; 1] = ["cache"];

/// The names that the functions of `linecache` use which an entry in its cache goes through. A release that uses another has
/// changed what they do.
const KNOWN_BODIES: [(Name, &str); 4] = [
    (Name::getline, "getlines len"),
    (
        Name::getlines,
        "cache get len updatecache MemoryError clearcache",
    ),
    (
        Name::checkcache,
        "list cache keys copy get len os stat ImportError OSError ValueError pop st_size st_mtime",
    ),
    (
        Name::lazycache,
        "cache get len startswith endswith loader AttributeError getattr functools partial _make_lazycache_entry",
    ),
];

/// A dict as it was: keys and values.
type Contents = Vec<[Forever; 2]>;

struct Class {
    class: Forever,
    /// The tuple of its bases.
    bases: Forever,
    contents: Contents,
}

struct Function {
    function: Forever,
    parts: FunctionParts,
    /// The keyword defaults, whose dict anybody may change in place.
    keywords: Contents,
}

/// Everything looked over.
pub struct Machinery {
    /// `sys.__dict__`
    sys: Forever,
    modules: [(&'static Module, Contents); 3],
    classes: Vec<Class>,
    functions: Vec<Function>,
    /// How often an entry is shown before repetitions are counted.
    pub cutoff: usize,
}

/// What was found.
static FOUND: OnceLock<Machinery> = OnceLock::new();

/// When everything was last found as it was: generations of the modules, tags of the classes.
struct Seen {
    generations: [u64; 3],
    tags: Vec<u32>,
    /// How often everything was looked at for that.
    looks: u64,
}
static SEEN: Shared<Seen> = Shared::new(Seen {
    generations: [0; 3],
    tags: Vec::new(),
    looks: 0,
});

/// The machinery, if all of it is the interpreter's own now. 0.2 µs.
pub fn own(py: Python<'_>) -> Option<&'static Machinery> {
    let machinery = match FOUND.get() {
        Some(machinery) => machinery,
        None => search(py)?,
    };
    let holds = machinery.holds(py);
    holds
        .unwrap_or_else(|raised| {
            raised.clear(py);
            false
        })
        .then_some(machinery)
}

#[cold]
fn search(py: Python<'_>) -> Option<&'static Machinery> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    // A patch that was in force the first time may be gone: now and then it is worth another look.
    if !asked.is_power_of_two() {
        return None;
    }
    let found = look_over(py)?;
    // Another thread may have found it meanwhile: the same, or it does not hold.
    let _ = FOUND.set(found);
    FOUND.get()
}

/// From [`Moment::begin`] on the machinery was the interpreter's own, if it [lasts](Moment::lasts).
///
/// At both ends everything is compared. In between it may have been changed and changed back, in this thread or in another: that
/// is told by counts. Each change is counted before it happens. So it is counted in between, or it had not happened yet when the
/// count was taken: then it is seen at the end, or its being changed back is counted, as the count is taken last there.
pub struct Moment {
    looks: u64,
    /// Changes of functions, of dicts.
    counts: (u64, u64),
}

impl Moment {
    /// Now; `None` if it is not the interpreter's own, or nobody would tell of changes.
    pub fn begin(py: Python<'_>) -> Option<Self> {
        let counts = counts(py)?;
        own(py)?;
        Some(Moment {
            looks: SEEN.with(py, |seen| seen.looks),
            counts,
        })
    }

    /// Has nothing changed since? Modules are what they were as long as their generation is, classes as long as their tag; a class
    /// that is being changed at this moment may have its old tag still, so those are waited for.
    pub fn lasts(&self, py: Python<'_>) -> bool {
        own(py).is_some_and(|machinery| {
            let tags: Vec<u32> = machinery
                .classes
                .iter()
                .map(|class| py_ffi::settled_class_tag(&class.class.get(py)))
                .collect();
            SEEN.with(py, |seen| seen.looks == self.looks && seen.tags == tags)
        }) && {
            fence(Ordering::Acquire);
            counts(py) == Some(self.counts)
        }
    }
}

/// Changes of functions, and of dicts that are watched. With a GIL it is good enough if nobody counts, as on 3.11: who changes them back
/// meanwhile has to get it in the middle of a rendering.
fn counts(py: Python<'_>) -> Option<(u64, u64)> {
    let functions = match bind::function_changes() {
        None if cfg!(Py_GIL_DISABLED) => return None,
        changes => changes.unwrap_or_default(),
    };
    #[cfg(Py_3_12)]
    return Some((functions, crate::raw::others(py)));
    #[cfg(not(Py_3_12))]
    {
        let _ = py;
        Some((functions, 0))
    }
}

/// Has a dict's changes counted; false where they must be and cannot.
fn count_changes(dict: &Obj<'_>) -> bool {
    #[cfg(Py_3_12)]
    return dict
        .cast::<pyo3::types::PyDict>()
        .is_ok_and(|dict| crate::raw::count_changes(dict) || cfg!(not(Py_GIL_DISABLED)));
    #[cfg(not(Py_3_12))]
    {
        let _ = dict;
        true
    }
}

impl Machinery {
    fn holds(&self, py: Python<'_>) -> Res<bool> {
        let Some(traceback) = globals::get_opt(py, Name::traceback)? else {
            return Ok(false);
        };
        let Some(io) = globals::get_opt(py, Name::io)? else {
            return Ok(false);
        };
        Ok(TRACEBACK.is(&traceback)
            && py_ffi::is_module(&traceback)
            && py_ffi::is_module(&io)
            && STRING_IO.is(&py_ffi::getattr(&io, Name::StringIO)?)
            && self.modules_hold(py)?
            && self.functions.iter().all(|function| function.holds(py))
            && self.surroundings_hold(py)?)
    }

    fn modules_hold(&self, py: Python<'_>) -> Res<bool> {
        let generations = [0, 1, 2].map(|index: usize| self.modules[index].0.generation(py));
        let unchanged = SEEN.with(py, |seen| {
            seen.generations == generations
                && seen.tags.len() == self.classes.len()
                && seen.tags.iter().zip(&self.classes).all(|(tag, class)| {
                    *tag != 0 && *tag == py_ffi::class_tag_now(&class.class.get(py))
                })
        });
        Ok(unchanged || self.look_again(py)?)
    }

    /// Something changed: is it back, or something that does not matter?
    #[cold]
    fn look_again(&self, py: Python<'_>) -> Res<bool> {
        let mut generations = [0; 3];
        for (index, (module, contents)) in self.modules.iter().enumerate() {
            let Some(dict) = module.dict(py) else {
                return Ok(false);
            };
            // Nobody changes the dict meanwhile (see `raw::Watch`), or the generation tells.
            let unchanged: Res<bool> = py_ffi::undisturbed(&dict, || {
                let generation = module.generation(py);
                // A new name may hide a built-in one; new built-in names hide nothing.
                let same = is_as_it_was(&dict, contents)?
                    && !(index < 2
                        && py_ffi::dict_len(&dict) > contents.len()
                        && hides_builtins(py, &dict, contents)?);
                generations[index] = generation;
                Ok(same && module.generation(py) == generation)
            });
            if !unchanged? {
                return Ok(false);
            }
        }
        let mut tags = Vec::with_capacity(self.classes.len());
        for class in &self.classes {
            let object = class.class.get(py);
            let tag = py_ffi::settled_class_tag(&object);
            if !class.is_as_it_was(py)? || py_ffi::settled_class_tag(&object) != tag {
                return Ok(false);
            }
            tags.push(tag);
        }
        let old = SEEN.with(py, |seen| {
            seen.generations = generations;
            seen.looks += 1;
            std::mem::replace(&mut seen.tags, tags)
        });
        drop(old);
        Ok(true)
    }

    /// What is looked up by name each time something is rendered, outside the two modules.
    fn surroundings_hold(&self, py: Python<'_>) -> Res<bool> {
        let sys = self.sys.get(py);
        if py_ffi::dict_get(&sys, &Name::tracebacklimit.object(py))?.is_some() {
            return Ok(false);
        }
        let Some(stat) = globals::OS.get_opt(py, Name::stat)? else {
            return Ok(false);
        };
        let Some(modules) = py_ffi::dict_get(&sys, &Name::modules.object(py))? else {
            return Ok(false);
        };
        if !py_ffi::is_dict(&modules) || !STAT.is_untouched(&stat) {
            return Ok(false);
        }
        // `linecache` imports os where it needs it, or (3.12) has it as a global, which is among its contents.
        let Some(os) = py_ffi::dict_get(&modules, &Name::os.object(py))? else {
            return Ok(false);
        };
        if !globals::OS.is(&os) || !py_ffi::is_module(&os) {
            return Ok(false);
        }
        for (module, name, saved) in &HELPERS {
            let Some(module) = py_ffi::dict_get(&modules, &module.object(py))? else {
                continue;
            };
            let Ok(module) = module.cast::<PyModule>() else {
                return Ok(false);
            };
            let function = py_ffi::dict_get(module.dict().as_any(), &name.object(py))?;
            let Some(function) = function else {
                // 3.13 has no themes.
                if saved.is_empty() {
                    continue;
                }
                return Ok(false);
            };
            if saved.is_empty()
                && py_ffi::is_function_of(&function, module)
                && count_changes(module.dict().as_any())
                && count_changes(&modules)
            {
                saved.set(function.clone());
            }
            if !saved.is(&function) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Has the dict got a name that it had not, and that is a built-in one too?
fn hides_builtins(py: Python<'_>, dict: &Obj<'_>, contents: &Contents) -> Res<bool> {
    let Some(builtins) = BUILTINS.dict(py) else {
        return Ok(true);
    };
    for (key, _) in py_ffi::dict_items(dict) {
        let known = contents.iter().any(|[known, _]| known.is(&key));
        if !known && py_ffi::dict_get(&builtins, &key)?.is_some() && !is_module_name(&key) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A global of `traceback`.
pub fn global(py: Python<'_>, name: Name) -> Res<Option<Obj<'_>>> {
    TRACEBACK.get_opt(py, name)
}

/// `linecache.cache`, if it is a plain dict.
pub fn cache(py: Python<'_>) -> Res<Option<Obj<'_>>> {
    Ok(LINECACHE
        .get_opt(py, Name::cache)?
        .filter(|cache| py_ffi::is_dict(cache)))
}

/// Does `linecache` know no source by code object (that of an interactive session, from 3.14 on)?
pub fn knows_no_interactive_source(py: Python<'_>) -> Res<bool> {
    Ok(LINECACHE
        .get_opt(py, Name::_interactive_cache)?
        .is_none_or(|cache| py_ffi::is_dict(&cache) && py_ffi::dict_len(&cache) == 0))
}

impl Function {
    #[inline]
    fn holds(&self, py: Python<'_>) -> bool {
        let function = self.function.get(py);
        py_ffi::runs(&function, &self.parts)
            && (self.keywords.is_empty()
                || self.parts[2].is_some_and(|defaults| {
                    is_as_it_was(&defaults.get(py), &self.keywords).unwrap_or_else(|raised| {
                        raised.clear(py);
                        false
                    })
                }))
    }
}

impl Class {
    fn is_as_it_was(&self, py: Python<'_>) -> Res<bool> {
        let class = self.class.get(py);
        let now = class_dict(&class)?;
        if py_ffi::class_bases(&class) != self.bases.address()
            || !is_as_it_was(&now, &self.contents)?
        {
            return Ok(false);
        }
        // A new attribute may be a method; what Python keeps of annotations once asked for them, and of slots once an instance
        // was copied, is none.
        let added = py_ffi::dict_items(&now).into_iter().filter(|(key, _)| {
            !self.contents.iter().any(|[known, _]| known.is(key))
                && !py_ffi::utf8(key)
                    .is_some_and(|key| key.starts_with("__annot") || key == "__slotnames__")
        });
        Ok(added.count() == 0)
    }
}

/// Does the dict still hold these very values?
fn is_as_it_was(dict: &Obj<'_>, contents: &Contents) -> Res<bool> {
    let py = dict.py();
    for [key, value] in contents {
        let now = py_ffi::dict_get(dict, &key.get(py))?;
        if !now.is_some_and(|now| value.is(&now)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `__name__` and its like, which every module has and the built-in one too.
fn is_module_name(key: &Obj<'_>) -> bool {
    py_ffi::is_str(key) && py_ffi::utf8(key).is_some_and(|key| key.starts_with("__"))
}

/// The attributes of a class itself, copied.
fn class_dict<'py>(class: &Obj<'py>) -> Res<Obj<'py>> {
    let view = py_ffi::getattr(class, Name::__dict__)?;
    let copy = py_ffi::new_dict(class.py())?;
    py_ffi::dict_display_update(&copy, &view)?;
    Ok(copy)
}

/// Takes references for ever.
fn keep(items: Vec<(Obj<'_>, Obj<'_>)>) -> Contents {
    items
        .into_iter()
        .map(|(key, value)| [Forever::new(key), Forever::new(value)])
        .collect()
}

// ---- looking it over, once

/// `None` when anything is not the interpreter's own.
#[cold]
fn look_over(py: Python<'_>) -> Option<Machinery> {
    Survey::new(py)?.run().unwrap_or_else(|raised| {
        raised.clear(py);
        None
    })
}

struct Survey<'py> {
    py: Python<'py>,
    traceback: Bound<'py, PyModule>,
    linecache: Bound<'py, PyModule>,
    builtins: Bound<'py, PyModule>,
    sys: Obj<'py>,
    classes: Vec<Class>,
    functions: Vec<Function>,
    /// The source file of the module's functions.
    file: Option<Obj<'py>>,
    /// Every name any of the functions uses.
    names: Vec<Obj<'py>>,
}

impl<'py> Survey<'py> {
    fn new(py: Python<'py>) -> Option<Self> {
        // At the interpreter's end nothing can be imported any more.
        let import = |name: &str| py_ffi::or_nothing(py, py_ffi::import(py, name));
        let traceback = py_ffi::or_nothing(py, globals::get_opt(py, Name::traceback))??;
        let traceback = traceback.cast_into::<PyModule>().ok()?;
        let linecache = py_ffi::dict_get(traceback.dict().as_any(), &Name::linecache.object(py));
        let linecache = py_ffi::or_nothing(py, linecache)??;
        let linecache = linecache.cast_into::<PyModule>().ok()?;
        let builtins = import("builtins")?.cast_into::<PyModule>().ok()?;
        let sys = import("sys")?.cast_into::<PyModule>().ok()?;
        Some(Survey {
            py,
            traceback,
            linecache,
            builtins,
            sys: sys.dict().into_any(),
            classes: Vec::new(),
            functions: Vec::new(),
            file: None,
            names: Vec::new(),
        })
    }

    fn run(mut self) -> Res<Option<Machinery>> {
        let py = self.py;
        let (traceback, linecache) = (self.traceback.clone(), self.linecache.clone());
        let Some(first) = self.module(&traceback, "traceback")? else {
            return Ok(None);
        };
        let Some(second) = self.module(&linecache, "linecache")? else {
            return Ok(None);
        };
        if !self.bodies_are_known(&second)? {
            return Ok(None);
        }
        let third = self.used_builtins()?;
        let cutoff = value_of(py, &first, Name::_RECURSIVE_CUTOFF);
        let Some(cutoff) =
            cutoff.and_then(|cutoff| usize::try_from(py_ffi::int_value(&cutoff.get(py))?).ok())
        else {
            return Ok(None);
        };
        let posix = py_ffi::import(py, if cfg!(windows) { "nt" } else { "posix" })?;
        STAT.set_builtin(py_ffi::getattr(&posix, Name::stat)?);
        STRING_IO.set(py_ffi::getattr(
            &py_ffi::import(py, "_io")?,
            Name::StringIO,
        )?);
        TRACEBACK.attach(&traceback);
        LINECACHE.attach(&linecache);
        BUILTINS.attach(&self.builtins);
        // Another thread may have attached others, which somebody had put there for a moment.
        if !TRACEBACK.is(&traceback) || !LINECACHE.is(&linecache) || !BUILTINS.is(&self.builtins) {
            return Ok(None);
        }
        let modules = [
            (&TRACEBACK, first),
            (&LINECACHE, second),
            (&BUILTINS, third),
        ];
        if modules
            .iter()
            .any(|(module, _)| module.generation(py) != module.generation(py))
        {
            // Nobody tells of changes: each record would have to look everything over.
            return Ok(None);
        }
        Ok(Some(Machinery {
            sys: Forever::new(self.sys.clone()),
            modules,
            classes: self.classes,
            functions: self.functions,
            cutoff,
        }))
    }

    /// What a module holds, and its classes and functions; `None` if something in it can be called and is not its own.
    fn module(&mut self, module: &Bound<'py, PyModule>, name: &str) -> Res<Option<Contents>> {
        self.file = None;
        let mut items = py_ffi::dict_items(module.dict().as_any());
        items.retain(|(key, value)| {
            let state =
                py_ffi::is_str(key) && py_ffi::utf8(key).is_some_and(|key| STATE.contains(&key));
            // An import that 3.15 puts off: its value changes when it is needed.
            !state && py_ffi::type_name(value) != "lazy_import"
        });
        for (key, value) in &items {
            if is_module_name(key) {
                continue;
            }
            if py_ffi::is_class(value) {
                match class_module(value).as_deref() {
                    Some(home) if home == name => {
                        if !self.class(value, module)? {
                            return Ok(None);
                        }
                    }
                    Some("contextlib" | "_colorize") => {}
                    _ => return Ok(None),
                }
            } else if !self.callable(value, module)? {
                return Ok(None);
            }
        }
        Ok(Some(keep(items)))
    }

    fn class(&mut self, class: &Obj<'py>, module: &Bound<'py, PyModule>) -> Res<bool> {
        if !class.get_type().is(self.py.get_type::<PyType>()) {
            return Ok(false);
        }
        let items = py_ffi::dict_items(&class_dict(class)?);
        // The methods that namedtuple makes come from elsewhere.
        let generated = is_generated(class)?;
        for (_, value) in items.iter().filter(|_| !generated) {
            for part in behind(value)? {
                if !self.callable(&part, module)? {
                    return Ok(false);
                }
            }
        }
        self.classes.push(Class {
            class: Forever::new(class.clone()),
            bases: Forever::new(py_ffi::getattr(class, Name::__bases__)?),
            contents: keep(items),
        });
        Ok(true)
    }

    /// Is this the module's own, if it can be called at all? Notes functions.
    fn callable(&mut self, value: &Obj<'py>, module: &Bound<'py, PyModule>) -> Res<bool> {
        if py_ffi::is_function(value) {
            if !py_ffi::is_function_of(value, module) {
                return Ok(false);
            }
            return self.function(value);
        }
        if !py_ffi::is_callable(value) {
            return Ok(true);
        }
        // `functools.cache` around a function.
        if py_ffi::type_name(value) == "functools._lru_cache_wrapper" {
            let inner = py_ffi::getattr(value, Name::__wrapped__)?;
            return Ok(py_ffi::is_function(&inner) && self.callable(&inner, module)?);
        }
        Ok(false)
    }

    /// Notes a function; false if its code came from another file or its defaults are not those it was made with.
    fn function(&mut self, function: &Obj<'py>) -> Res<bool> {
        let py = self.py;
        // What is looked at is what is kept: another thread may exchange it meanwhile.
        let parts = py_ffi::keep_parts(function);
        let [Some(code), _, defaults] = parts else {
            return Ok(false);
        };
        let code = code.get(py);
        let file = py_ffi::getattr(&code, Name::co_filename)?;
        if !py_ffi::eq(self.file.get_or_insert_with(|| file.clone()), &file)? {
            return Ok(false);
        }
        self.note_names(&code)?;
        let defaults = match defaults {
            Some(defaults) if !count_changes(&defaults.get(py)) => return Ok(false),
            Some(defaults) => py_ffi::dict_items(&defaults.get(py)),
            None => Vec::new(),
        };
        let usual = |(name, value): &(Obj<'py>, Obj<'py>)| match py_ffi::utf8(name) {
            Some("capture_locals") => value.is(py_ffi::boolean(self.py, false)),
            Some("lookup_line" | "lookup_lines") => value.is(py_ffi::boolean(self.py, true)),
            Some("limit" | "locals" | "line") => value.is_none(),
            _ => true,
        };
        if !defaults.iter().all(usual) {
            return Ok(false);
        }
        let keywords = keep(defaults);
        self.functions.push(Function {
            parts,
            function: Forever::new(function.clone()),
            keywords,
        });
        Ok(true)
    }

    /// The names a code object uses, and those inside it.
    fn note_names(&mut self, code: &Obj<'py>) -> Res<()> {
        let names = py_ffi::getattr(code, Name::co_names)?;
        for index in 0..py_ffi::tuple_len(&names) {
            self.names.extend(py_ffi::tuple_item(&names, index));
        }
        let constants = py_ffi::getattr(code, Name::co_consts)?;
        for index in 0..py_ffi::tuple_len(&constants) {
            if let Some(inner) = py_ffi::tuple_item(&constants, index)
                && inner.get_type().is(code.get_type())
            {
                self.note_names(&inner)?;
            }
        }
        Ok(())
    }

    /// The built-in names the functions use, and `__import__`.
    fn used_builtins(&mut self) -> Res<Contents> {
        let dict = self.builtins.dict().into_any();
        self.names.push(py_ffi::text_from(self.py, "__import__")?);
        let mut kept = Vec::new();
        for name in std::mem::take(&mut self.names) {
            let known = kept.iter().any(|(key, _): &(Obj<'py>, _)| key.is(&name));
            if !known && let Some(value) = py_ffi::dict_get(&dict, &name)? {
                kept.push((name, value));
            }
        }
        Ok(keep(kept))
    }

    /// Do the functions of `linecache` do what is known of them?
    fn bodies_are_known(&self, linecache: &Contents) -> Res<bool> {
        for (name, known) in &KNOWN_BODIES {
            let function = value_of(self.py, linecache, *name);
            let noted = self
                .functions
                .iter()
                .find(|noted| Some(noted.function) == function);
            let Some(code) = noted.and_then(|noted| noted.parts[0]) else {
                return Ok(false);
            };
            let code = code.get(self.py);
            let names = py_ffi::getattr(&code, Name::co_names)?;
            for index in 0..py_ffi::tuple_len(&names) {
                let name = py_ffi::tuple_item(&names, index);
                let is_known = name.is_some_and(|name| {
                    py_ffi::utf8(&name)
                        .is_some_and(|name| known.split(' ').any(|known| known == name))
                });
                if !is_known {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// What a module held under a name.
fn value_of(py: Python<'_>, contents: &Contents, name: Name) -> Option<Forever> {
    let name = name.object(py);
    let found = contents.iter().find(|[key, _]| key.is(&name));
    found.map(|[_, value]| *value)
}

/// `class.__module__`, if it is text.
fn class_module(class: &Obj<'_>) -> Option<String> {
    match py_ffi::getattr(class, Name::__module__) {
        Ok(module) if py_ffi::is_str(&module) => py_ffi::utf8(&module).map(str::to_owned),
        Ok(_) => None,
        Err(raised) => {
            raised.clear(class.py());
            None
        }
    }
}

/// The functions of a classmethod, a staticmethod or a property; of anything else the thing itself.
fn behind<'py>(value: &Obj<'py>) -> Res<SmallVec<[Obj<'py>; 3]>> {
    let parts: &[Name] = match py_ffi::type_name(value).as_str() {
        "classmethod" | "staticmethod" => &[Name::__func__],
        "property" => &[Name::fget, Name::fset, Name::fdel],
        _ => return Ok(SmallVec::from_iter([value.clone()])),
    };
    parts
        .iter()
        .map(|name| py_ffi::getattr(value, *name))
        .collect()
}

/// Was the class made by `namedtuple`? It is a tuple then.
fn is_generated(class: &Obj<'_>) -> Res<bool> {
    let py = class.py();
    py_ffi::issubclass(class, py.get_type::<pyo3::types::PyTuple>().as_any())
}
