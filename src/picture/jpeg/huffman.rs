//! Huffman codes and the bits of a scan.

/// What is wrong with a file that ends too early.
pub const TRUNCATED: &str = "the file is truncated";

/// Bits that are looked up at once.
const QUICK: u32 = 9;

/// A code.
pub struct Code {
    /// For the next bits: the length of the code in them and its symbol. Length 0 if the code is longer.
    quick: Vec<(u8, u8)>,
    /// For each length, one past its last code, and what is added to a code to give its symbol's place.
    ends: [i32; 17],
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Code {
    /// The code with so many codes of each length from 1 to 16.
    ///
    /// # Errors
    /// If there are more codes than a length has.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, String> {
        let mut quick = vec![(0, 0); 1 << QUICK];
        let (mut ends, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut place) = (0_i32, 0_i32);
        for length in 1..=16 {
            let count = i32::from(counts[length - 1]);
            offsets[length] = place - code;
            if code + count > 1 << length {
                return Err("a Huffman table makes no sense".into());
            }
            for _ in 0..count {
                if length as u32 <= QUICK {
                    let spare = QUICK - length as u32;
                    let first = (code as usize) << spare;
                    quick[first..first + (1 << spare)].fill((length as u8, symbols[place as usize]));
                }
                (code, place) = (code + 1, place + 1);
            }
            ends[length] = code;
            code <<= 1;
        }
        Ok(Self { quick, ends, offsets, symbols: symbols.to_vec() })
    }
}

/// The bits of a scan, up to the next mark.
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, the first one uppermost.
    buffer: u64,
    /// How many of them there are; after the last byte, zeros follow without end.
    count: u32,
    /// Whether a mark, or the end of the file, was reached.
    ended: bool,
    /// Bits of the buffer that are not in the file.
    made_up: u32,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0, ended: false, made_up: 0 }
    }

    /// Where the latest byte ended.
    pub fn position(&self) -> usize {
        self.at
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                _ if self.ended => None,
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    Some(0xff)
                }
                (Some(0xff), _) | (None, _) => None,
                (Some(byte), _) => {
                    self.at += 1;
                    Some(*byte)
                }
            };
            if byte.is_none() {
                self.ended = true;
                self.made_up += 8;
            }
            self.buffer |= u64::from(byte.unwrap_or(0)) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Takes bits from the buffer.
    fn skip(&mut self, bits: u32) -> Result<(), String> {
        self.buffer <<= bits;
        self.count -= bits;
        if self.made_up > self.count { Err(TRUNCATED.into()) } else { Ok(()) }
    }

    /// The next bits as a number, at most 16.
    pub fn take(&mut self, bits: u32) -> Result<i32, String> {
        if bits == 0 {
            return Ok(0);
        }
        if self.count < bits {
            self.fill();
        }
        let number = (self.buffer >> (64 - bits)) as i32;
        self.skip(bits)?;
        Ok(number)
    }

    /// The next bits as a number with a sign, in T.81's figure F.12.
    pub fn signed(&mut self, bits: u32) -> Result<i32, String> {
        let number = self.take(bits)?;
        let is_negative = bits > 0 && number < 1 << (bits - 1);
        Ok(if is_negative { number - (1 << bits) + 1 } else { number })
    }

    /// The next symbol.
    pub fn symbol(&mut self, code: &Code) -> Result<u8, String> {
        if self.count < 16 {
            self.fill();
        }
        let (length, symbol) = code.quick[(self.buffer >> (64 - QUICK)) as usize];
        if length > 0 {
            self.skip(u32::from(length))?;
            return Ok(symbol);
        }
        for length in QUICK + 1..=16 {
            let bits = (self.buffer >> (64 - length)) as i32;
            if bits < code.ends[length as usize] {
                self.skip(length)?;
                let place = bits + code.offsets[length as usize];
                return code.symbols.get(place as usize).copied().ok_or_else(|| "a code makes no sense".into());
            }
        }
        Err(if self.ended { TRUNCATED.into() } else { "its data are damaged".into() })
    }

    /// Goes on after a restart mark.
    ///
    /// # Errors
    /// If there is none.
    pub fn restart(&mut self) -> Result<(), String> {
        self.fill();
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xff, 0xd0..=0xd7]) if self.ended && self.count - self.made_up < 8 => {
                *self = Self { at: self.at + 2, ..Self::new(self.bytes) };
                Ok(())
            }
            None => Err(TRUNCATED.into()),
            _ => Err("its data are damaged: a restart mark is missing".into()),
        }
    }
}
