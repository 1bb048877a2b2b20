//! Reads Python's pickles as data. Nothing in them is run: a call of a function stays a note of the function and what it
//! was given.
//!
//! Values lie in one list and refer to each other by number, so that no file can nest them too deeply for the stack.

use std::collections::HashMap;

/// Number of a value.
pub type Id = usize;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, a float, or bytes: what no reader here asks for.
    Other,
    Int(i64),
    Text(String),
    /// A list, a tuple or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A function or class: module and name.
    Global(String),
    /// What a function gave or a class made: the function, what it was given, and the state that was set afterwards.
    Made(Id, Id, Option<Id>),
    /// What is stored outside the pickle, by its key.
    Persistent(Id),
}

/// The values of a pickle; the last one is the whole.
pub struct Pickle(Vec<Value>);

impl Pickle {
    /// Parses a pickle of protocol 0 to 5. None if it is damaged.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut machine = Machine { bytes, values: vec![], stack: vec![], marks: vec![], memo: HashMap::new() };
        while machine.step()? {}
        let whole = machine.stack.pop()?;
        let whole = machine.values.get(whole)?.clone();
        machine.values.push(whole);
        Some(Self(machine.values))
    }

    /// The whole.
    pub fn whole(&self) -> &Value {
        &self.0[self.0.len() - 1]
    }

    /// The value of a number.
    pub fn get(&self, id: Id) -> &Value {
        &self.0[id]
    }
}

/// The stack machine that a pickle is a program for.
struct Machine<'a> {
    bytes: &'a [u8],
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    /// Runs one instruction. False at the end.
    fn step(&mut self) -> Option<bool> {
        match self.number(1)? as u8 {
            b'.' => return Some(false),
            0x80 => _ = self.number(1)?,
            0x95 => _ = self.number(8)?,
            b'(' => self.marks.push(self.stack.len()),
            b'0' => _ = self.stack.pop()?,
            b'1' => _ = self.marked()?,
            b'2' => self.stack.push(*self.stack.last()?),
            b'N' | 0x88 | 0x89 => self.push(Value::Other),
            b'J' => self.number(4).map(|n| self.push(Value::Int(i64::from(n as u32 as i32))))?,
            b'K' => self.number(1).map(|n| self.push(Value::Int(n as i64)))?,
            b'M' => self.number(2).map(|n| self.push(Value::Int(n as i64)))?,
            0x8a => self.number(1).and_then(|count| self.long(count))?,
            0x8b => self.number(4).and_then(|count| self.long(count))?,
            b'I' | b'L' => {
                let number = self.line()?.trim_end_matches('L').parse().ok()?;
                self.push(Value::Int(number));
            }
            b'F' => self.line().map(|_| self.push(Value::Other))?,
            b'G' => self.take(8).map(|_| self.push(Value::Other))?,
            b'S' | b'V' => {
                let text = self.line()?.trim_matches(['\'', '"']).to_owned();
                self.push(Value::Text(text));
            }
            b'U' | 0x8c => self.text(1)?,
            b'T' | b'X' => self.text(4)?,
            0x8d => self.text(8)?,
            b'C' => self.skip(1)?,
            b'B' => self.skip(4)?,
            0x8e | 0x96 => self.skip(8)?,
            b']' | b')' | 0x8f => self.push(Value::List(vec![])),
            b'}' => self.push(Value::Dict(vec![])),
            b'l' | b't' | 0x91 => self.marked().map(|items| self.push(Value::List(items)))?,
            b'd' => {
                let items = self.marked()?;
                self.push(Value::Dict(vec![]));
                self.fill(items)?;
            }
            n @ 0x85..=0x87 => {
                let items = self.stack.split_off(self.stack.len().checked_sub(usize::from(n - 0x84))?);
                self.push(Value::List(items));
            }
            b'a' => self.stack.pop().and_then(|item| self.fill(vec![item]))?,
            b's' => {
                let items = self.stack.split_off(self.stack.len().checked_sub(2)?);
                self.fill(items)?;
            }
            b'e' | b'u' | 0x90 => self.marked().and_then(|items| self.fill(items))?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(format!("{module}.{name}")));
            }
            0x93 => {
                let (name, module) = (self.stack.pop()?, self.stack.pop()?);
                let (Value::Text(module), Value::Text(name)) = (self.values.get(module)?, self.values.get(name)?)
                else {
                    return None;
                };
                self.push(Value::Global(format!("{module}.{name}")));
            }
            b'R' | 0x81 => self.make()?,
            0x92 => {
                self.stack.pop()?;
                self.make()?;
            }
            b'b' => {
                let state = self.stack.pop()?;
                if let Value::Made(.., kept) = self.values.get_mut(*self.stack.last()?)? {
                    *kept = Some(state);
                }
            }
            b'P' => {
                let key = self.line()?.to_owned();
                self.push(Value::Text(key));
                self.persist()?;
            }
            b'Q' => self.persist()?,
            b'g' => self.line()?.parse().ok().and_then(|key| self.recall(key))?,
            b'h' => self.number(1).and_then(|key| self.recall(key))?,
            b'j' => self.number(4).and_then(|key| self.recall(key))?,
            b'p' => self.line()?.parse().ok().and_then(|key| self.note(key))?,
            b'q' => self.number(1).and_then(|key| self.note(key))?,
            b'r' => self.number(4).and_then(|key| self.note(key))?,
            0x94 => self.note(self.memo.len() as u64)?,
            _ => return None,
        }
        Some(true)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    /// The values above the last mark.
    fn marked(&mut self) -> Option<Vec<Id>> {
        let height = self.marks.pop()?;
        (height <= self.stack.len()).then(|| self.stack.split_off(height))
    }

    /// Adds items to the list, or pairs to the dictionary, on top of the stack.
    fn fill(&mut self, items: Vec<Id>) -> Option<()> {
        let next = self.values.len();
        match self.values.get_mut(*self.stack.last()?)? {
            Value::List(list) => list.extend(items),
            Value::Dict(dict) => dict.extend(items.as_chunks().0.iter().map(|[key, value]| (*key, *value))),
            // A class of its own that acts as a dictionary: its entries are its state.
            Value::Made(.., state) => {
                let entries = items.as_chunks().0.iter().map(|[key, value]| (*key, *value)).collect();
                *state = Some(next);
                self.values.push(Value::Dict(entries));
            }
            _ => return None,
        }
        Some(())
    }

    /// The result of the function under the arguments on top of the stack. Only what it is made of is kept.
    fn make(&mut self) -> Option<()> {
        let (arguments, function) = (self.stack.pop()?, self.stack.pop()?);
        let is_dict = matches!(self.values.get(function)?, Value::Global(name) if name == "collections.OrderedDict");
        self.push(if is_dict { Value::Dict(vec![]) } else { Value::Made(function, arguments, None) });
        Some(())
    }

    fn persist(&mut self) -> Option<()> {
        let key = self.stack.pop()?;
        self.push(Value::Persistent(key));
        Some(())
    }

    fn recall(&mut self, key: u64) -> Option<()> {
        self.stack.push(*self.memo.get(&key)?);
        Some(())
    }

    fn note(&mut self, key: u64) -> Option<()> {
        self.memo.insert(key, *self.stack.last()?);
        Some(())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A little-endian number.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.take(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// An integer of any length. One that is too long for 64 bits is no size of anything.
    fn long(&mut self, count: u64) -> Option<()> {
        let bytes = self.take(usize::try_from(count).ok()?)?;
        let negative = bytes.last().is_some_and(|byte| *byte > 127);
        let number = match bytes.len() {
            0..=8 => Value::Int(bytes.iter().rev().fold(-i64::from(negative), |n, byte| n << 8 | i64::from(*byte))),
            _ => Value::Other,
        };
        self.push(number);
        Some(())
    }

    fn text(&mut self, size_of_length: usize) -> Option<()> {
        let length = usize::try_from(self.number(size_of_length)?).ok()?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Value::Text(text));
        Some(())
    }

    fn skip(&mut self, size_of_length: usize) -> Option<()> {
        let length = usize::try_from(self.number(size_of_length)?).ok()?;
        self.take(length)?;
        self.push(Value::Other);
        Some(())
    }

    fn line(&mut self) -> Option<&'a str> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).ok()
    }
}
