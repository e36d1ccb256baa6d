//! Frames, one after the other: nothing is answered to them, and *delivered* means that the operating system has taken them whole.
use super::connection::Connection;
use super::worker::{Answer, Exchange};

pub(super) struct Frames;

impl Exchange for Frames {
    fn deliver(&mut self, connection: &mut Connection, items: &[Vec<u8>]) -> Answer {
        match connection.send(&items.concat()) {
            Ok(()) => Answer::Taken(items.len()),
            Err((sent, error)) => {
                let mut end = 0;
                let whole = |frame: &&Vec<u8>| {
                    end += frame.len();
                    end <= sent
                };
                Answer::Broken(items.iter().take_while(whole).count(), error)
            }
        }
    }
}
