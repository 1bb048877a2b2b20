//! Protobuf as it lies in a file: numbered fields of numbers and bytes.

/// The file is no protobuf, or is cut off.
#[derive(Debug)]
pub struct Broken;

/// A field's value.
pub enum Field<'a> {
    /// An integer or a boolean.
    Number(u64),
    /// Four bytes, such as an f32.
    Four([u8; 4]),
    /// Eight bytes, such as an f64.
    Eight([u8; 8]),
    /// A text, a list of packed numbers, or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Field<'a>), Broken> {
        let key = number(&mut self.0)?;
        let value = match key & 7 {
            0 => Field::Number(number(&mut self.0)?),
            1 => Field::Eight(array(&mut self.0)?),
            5 => Field::Four(array(&mut self.0)?),
            2 => {
                let length = usize::try_from(number(&mut self.0)?).map_err(|_| Broken)?;
                let (bytes, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            _ => return Err(Broken),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Field<'a> {
    /// The bytes of a text or of a message.
    pub fn bytes(self) -> Result<&'a [u8], Broken> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Broken) }
    }

    /// A text.
    pub fn text(self) -> Result<String, Broken> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Broken)
    }

    /// An integer.
    pub fn int(self) -> Result<i64, Broken> {
        if let Self::Number(number) = self { Ok(number as i64) } else { Err(Broken) }
    }

    /// An f32.
    pub fn float(self) -> Result<f32, Broken> {
        if let Self::Four(bytes) = self { Ok(f32::from_le_bytes(bytes)) } else { Err(Broken) }
    }

    /// An integer of a list, or a packed list of them.
    pub fn ints(self, list: &mut Vec<i64>) -> Result<(), Broken> {
        match self {
            Self::Number(number) => list.push(number as i64),
            Self::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    list.push(number(&mut bytes)? as i64);
                }
            }
            _ => return Err(Broken),
        }
        Ok(())
    }

    /// A number of a list of f32, or a packed list of them.
    pub fn floats(self, list: &mut Vec<f32>) -> Result<(), Broken> {
        match self {
            Self::Four(bytes) => packed(&bytes, f32::from_le_bytes, list),
            Self::Bytes(bytes) => packed(bytes, f32::from_le_bytes, list),
            _ => Err(Broken),
        }
    }

    /// A number of a list of f64, or a packed list of them.
    pub fn doubles(self, list: &mut Vec<f64>) -> Result<(), Broken> {
        match self {
            Self::Eight(bytes) => packed(&bytes, f64::from_le_bytes, list),
            Self::Bytes(bytes) => packed(bytes, f64::from_le_bytes, list),
            _ => Err(Broken),
        }
    }
}

/// Numbers of `N` bytes each.
fn packed<const N: usize, T>(bytes: &[u8], of: fn([u8; N]) -> T, list: &mut Vec<T>) -> Result<(), Broken> {
    let (numbers, rest) = bytes.as_chunks();
    list.extend(numbers.iter().map(|bytes| of(*bytes)));
    if rest.is_empty() { Ok(()) } else { Err(Broken) }
}

/// Seven bits a byte, the lowest first; the last byte is below 128.
fn number(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0;
    for place in 0..10 {
        let (first, rest) = bytes.split_first().ok_or(Broken)?;
        *bytes = rest;
        value |= u64::from(first & 127) << (7 * place);
        if *first < 128 {
            return Ok(value);
        }
    }
    Err(Broken)
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (array, rest) = bytes.split_first_chunk().ok_or(Broken)?;
    *bytes = rest;
    Ok(*array)
}

/// A name with a value.
pub fn pair(bytes: &[u8]) -> Result<(String, String), Broken> {
    let (mut key, mut value) = (String::new(), String::new());
    for field in Fields(bytes) {
        match field? {
            (1, field) => key = field.text()?,
            (2, field) => value = field.text()?,
            _ => {}
        }
    }
    Ok((key, value))
}
