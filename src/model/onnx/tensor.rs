//! Constants: the numbers in a file, and those computed from them.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;

use half::{bf16, f16};

use crate::files::{self, Kind};

use super::wire::{Broken, Fields, pair};

/// Numbers with extents, in row-major order.
#[derive(Clone, Debug)]
pub struct Constant {
    pub dims: Vec<usize>,
    pub numbers: Numbers,
    /// Its name in the file, if it is there as it is here.
    pub name: Option<Arc<str>>,
}

/// Weights, or the numbers that shapes are computed from.
#[derive(Clone, Debug)]
pub enum Numbers {
    Floats(Arc<[f32]>),
    Ints(Arc<[i64]>),
}

/// The most numbers that a constant may have which is computed from others.
pub const MOST: usize = 1 << 26;
/// So many numbers take no memory worth counting.
pub const SMALL: usize = 1 << 16;

impl Constant {
    pub fn floats(dims: Vec<usize>, numbers: impl Into<Arc<[f32]>>) -> Self {
        Self { dims, numbers: Numbers::Floats(numbers.into()), name: None }
    }

    pub fn ints(dims: Vec<usize>, numbers: impl Into<Arc<[i64]>>) -> Self {
        Self { dims, numbers: Numbers::Ints(numbers.into()), name: None }
    }

    pub fn list(numbers: &[i64]) -> Self {
        Self::ints(vec![numbers.len()], numbers)
    }

    pub fn scalar(number: f32) -> Self {
        Self::floats(vec![], [number])
    }

    pub fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Floats(numbers) => numbers.len(),
            Numbers::Ints(numbers) => numbers.len(),
        }
    }

    /// As f32. Weights are shared.
    pub fn to_floats(&self) -> Arc<[f32]> {
        match &self.numbers {
            Numbers::Floats(numbers) => numbers.clone(),
            Numbers::Ints(numbers) => numbers.iter().map(|n| *n as f32).collect(),
        }
    }

    /// As integers, as a cast makes them.
    pub fn to_ints(&self) -> Arc<[i64]> {
        match &self.numbers {
            Numbers::Floats(numbers) => numbers.iter().map(|n| *n as i64).collect(),
            Numbers::Ints(numbers) => numbers.clone(),
        }
    }

    /// Its only number.
    pub fn only(&self) -> Option<f32> {
        (self.len() == 1).then(|| match &self.numbers {
            Numbers::Floats(numbers) => numbers[0],
            Numbers::Ints(numbers) => numbers[0] as f32,
        })
    }

    /// The numbers at these places, with new extents.
    pub fn pick(&self, dims: Vec<usize>, places: impl Iterator<Item = usize>) -> Self {
        let numbers = match &self.numbers {
            Numbers::Floats(numbers) => Numbers::Floats(places.map(|at| numbers[at]).collect()),
            Numbers::Ints(numbers) => Numbers::Ints(places.map(|at| numbers[at]).collect()),
        };
        Self { dims, numbers, name: None }
    }

    /// The same numbers with other extents.
    pub fn reshaped(&self, dims: Vec<usize>) -> Self {
        Self { dims, ..self.clone() }
    }
}

/// How far apart neighbours along each axis lie.
pub fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// The places of all indices of `dims` in row-major order, from `start` on, with these strides.
pub fn places(dims: Vec<usize>, start: usize, strides: Vec<usize>) -> impl Iterator<Item = usize> {
    let count: usize = dims.iter().product();
    let mut index = vec![0; dims.len()];
    let mut at = start;
    (0..count).map(move |_| {
        let here = at;
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < dims[axis] {
                break;
            }
            at -= strides[axis] * dims[axis];
            index[axis] = 0;
        }
        here
    })
}

/// A `TensorProto`. Large ones may lie in another file in `folder`.
///
/// # Errors
/// What is wrong with it.
pub fn read(bytes: &[u8], folder: Option<&Path>) -> Result<Constant, String> {
    let mut tensor = Fieldwise::default();
    tensor.read(bytes).map_err(|Broken| "a damaged tensor".to_owned())?;
    let called = |reason: String| format!("tensor '{}' {reason}", tensor.name);
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(|extent| usize::try_from(*extent).ok()).collect();
    let dims = dims.ok_or_else(|| called(format!("has the extents {:?}", tensor.dims)))?;
    let count = dims.iter().try_fold(1_usize, |count, extent| count.checked_mul(*extent));
    let count = count.ok_or_else(|| called(format!("has the extents {dims:?}, which are too many")))?;
    let external;
    let raw = match tensor.location() {
        None => tensor.raw,
        Some(location) => {
            external = tensor.external(location, folder).map_err(called)?;
            &external
        }
    };
    let numbers = tensor.numbers(raw, count).map_err(called)?;
    let name = (!tensor.name.is_empty()).then(|| tensor.name.into());
    Ok(Constant { dims, numbers, name })
}

#[derive(Default)]
struct Fieldwise<'a> {
    name: String,
    dims: Vec<i64>,
    kind: i64,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    ints: Vec<i64>,
    raw: &'a [u8],
    place: Vec<(String, String)>,
}

impl<'a> Fieldwise<'a> {
    fn read(&mut self, bytes: &'a [u8]) -> Result<(), Broken> {
        for field in Fields(bytes) {
            match field? {
                (1, field) => field.ints(&mut self.dims)?,
                (2, field) => self.kind = field.int()?,
                (4, field) => field.floats(&mut self.floats)?,
                (5 | 7 | 11, field) => field.ints(&mut self.ints)?,
                (8, field) => self.name = field.text()?,
                (9, field) => self.raw = field.bytes()?,
                (10, field) => field.doubles(&mut self.doubles)?,
                (13, field) => self.place.push(pair(field.bytes()?)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn location(&self) -> Option<&str> {
        self.at("location")
    }

    fn at(&self, key: &str) -> Option<&str> {
        self.place.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The bytes of another file.
    fn external(&self, location: &str, folder: Option<&Path>) -> Result<Vec<u8>, String> {
        let path = Path::new(location);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(format!("is said to lie in {location:?}, outside the model's folder"));
        }
        let folder = folder.ok_or_else(|| format!("lies in another file, {location:?}, which is not given"))?;
        let path = folder.join(path);
        let number = |key| self.at(key).map(|text| text.parse::<u64>().map_err(|_| format!("has the {key} {text:?}")));
        let offset = number("offset").transpose()?.unwrap_or(0);
        let reading = |e: std::io::Error| format!("lies in {}: {e}", path.display());
        let (mut file, data) = files::open(&path, Kind::Regular).map_err(reading)?;
        let rest = data.len().checked_sub(offset);
        let length = number("length").transpose()?.or(rest);
        let (Some(length), Some(rest)) = (length, rest) else {
            return Err(format!("lies in {}, which is too short", path.display()));
        };
        if length > rest {
            return Err(format!("lies in {}, which is too short", path.display()));
        }
        let mut bytes = vec![];
        file.seek(SeekFrom::Start(offset)).map_err(reading)?;
        file.take(length).read_to_end(&mut bytes).map_err(reading)?;
        Ok(bytes)
    }

    fn numbers(&self, raw: &[u8], count: usize) -> Result<Numbers, String> {
        fn each<const N: usize, T>(raw: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
            raw.as_chunks::<N>().0.iter().map(|bytes| of(*bytes)).collect()
        }
        let stored = !raw.is_empty();
        let ints = |read: &dyn Fn() -> Vec<i64>| Numbers::Ints(if stored { read() } else { self.ints.clone() }.into());
        let floats = |numbers: Vec<f32>| Numbers::Floats(numbers.into());
        // f16 and bf16 lie as the integers of their bits where they are not stored as bytes.
        let bits = || self.ints.iter().map(|bits| *bits as u16);
        let numbers = match self.kind {
            1 if stored => floats(each(raw, f32::from_le_bytes)),
            1 => Numbers::Floats(self.floats.as_slice().into()),
            10 if stored => floats(each(raw, |b| f16::from_le_bytes(b).to_f32())),
            10 => floats(bits().map(|b| f16::from_bits(b).to_f32()).collect()),
            16 if stored => floats(each(raw, |b| bf16::from_le_bytes(b).to_f32())),
            16 => floats(bits().map(|b| bf16::from_bits(b).to_f32()).collect()),
            11 if stored => floats(each(raw, |b| f64::from_le_bytes(b) as f32)),
            11 => floats(self.doubles.iter().map(|n| *n as f32).collect()),
            2 | 9 => ints(&|| raw.iter().map(|b| i64::from(*b)).collect()),
            3 => ints(&|| raw.iter().map(|b| i64::from(*b as i8)).collect()),
            4 => ints(&|| each(raw, |b| i64::from(u16::from_le_bytes(b)))),
            5 => ints(&|| each(raw, |b| i64::from(i16::from_le_bytes(b)))),
            6 => ints(&|| each(raw, |b| i64::from(i32::from_le_bytes(b)))),
            12 => ints(&|| each(raw, |b| i64::from(u32::from_le_bytes(b)))),
            7 | 13 => ints(&|| each(raw, i64::from_le_bytes)),
            kind => return Err(format!("has numbers of the type {kind}, which is not supported")),
        };
        let found = match &numbers {
            Numbers::Floats(numbers) => numbers.len(),
            Numbers::Ints(numbers) => numbers.len(),
        };
        if found == count { Ok(numbers) } else { Err(format!("has {found} numbers, not {count}")) }
    }
}
