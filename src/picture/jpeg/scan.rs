//! Decodes the scans' coefficients: T.81, annexes F (sequential) and G (progressive).

use super::frame::Frame;
use super::huffman::{Bits, Code, TRUNCATED};
use super::idct::BLOCK;

/// Where the coefficients of a block lie, in the order in which they are coded.
const ZIGZAG: [u8; BLOCK] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// What segments before a scan define.
#[derive(Default)]
pub struct Tables {
    quantisation: [Option<[u16; BLOCK]>; 4],
    /// For the first coefficients, then for the others.
    codes: [[Option<Code>; 4]; 2],
    /// Units between restart marks; 0 for none.
    interval: usize,
}

impl Tables {
    pub fn quantisation(&mut self, mut content: &[u8]) -> Result<(), String> {
        while let Some((&kind, rest)) = content.split_first() {
            let (bytes, table) = (1 + usize::from(kind >> 4), usize::from(kind & 15));
            let (numbers, rest) = rest.split_at_checked(bytes * BLOCK).ok_or(TRUNCATED)?;
            let slot = self.quantisation.get_mut(table).filter(|_| bytes < 3).ok_or("a table makes no sense")?;
            let mut own = [0; BLOCK];
            for (number, at) in numbers.chunks_exact(bytes).zip(ZIGZAG) {
                own[usize::from(at)] = number.iter().fold(0, |number, byte| number << 8 | u16::from(*byte));
            }
            *slot = Some(own);
            content = rest;
        }
        Ok(())
    }

    pub fn huffman(&mut self, mut content: &[u8]) -> Result<(), String> {
        while let Some((&kind, rest)) = content.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(TRUNCATED)?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total).ok_or(TRUNCATED)?;
            let (class, table) = (usize::from(kind >> 4), usize::from(kind & 15));
            let slot =
                self.codes.get_mut(class).and_then(|codes| codes.get_mut(table)).ok_or("a table makes no sense")?;
            *slot = Some(Code::new(counts, symbols)?);
            content = rest;
        }
        Ok(())
    }

    pub fn restart_interval(&mut self, content: &[u8]) -> Result<(), String> {
        let &[high, low, ..] = content else { return Err(TRUNCATED.into()) };
        self.interval = usize::from(high) << 8 | usize::from(low);
        Ok(())
    }
}

/// Which coefficients a scan has, and which of their bits.
struct Band {
    first: usize,
    last: usize,
    /// The lowest bit of the scan before, 0 if there is none, and of this one.
    before: u8,
    bit: u8,
}

/// A component in a scan.
struct Part<'a> {
    component: usize,
    direct: Option<&'a Code>,
    others: Option<&'a Code>,
    /// The first coefficient of the block before.
    predicted: i32,
}

/// Decodes the scan of this header from the bytes after it, and returns how many it has.
pub fn decode(header: &[u8], bytes: &[u8], tables: &Tables, frame: &mut Frame) -> Result<usize, String> {
    let (count, rest) = header.split_first().ok_or(TRUNCATED)?;
    let (parts, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or(TRUNCATED)?;
    let &[first, last, bits, ..] = rest else { return Err(TRUNCATED.into()) };
    let band = if frame.is_progressive {
        Band { first: first.into(), last: last.into(), before: bits >> 4, bit: bits & 15 }
    } else {
        Band { first: 0, last: BLOCK - 1, before: 0, bit: 0 }
    };
    let alone = parts.len() == 2;
    if band.first > band.last || band.last >= BLOCK || band.bit > 13 || (band.first > 0 && !alone) || parts.is_empty() {
        return Err("a scan makes no sense".into());
    }
    let mut scanned = vec![];
    for &[id, codes] in parts.as_chunks().0 {
        let component = frame.components.iter().position(|c| c.id == id).ok_or("a scan has an unknown component")?;
        let code = |class: usize, table: u8| tables.codes[class].get(usize::from(table)).and_then(Option::as_ref);
        let (direct, others) = (code(0, codes >> 4), code(1, codes & 15));
        if scanned.iter().any(|part: &Part| part.component == component) {
            return Err("a scan has a component twice".into());
        }
        scanned.push(Part { component, direct, others, predicted: 0 });
        let own = &mut frame.components[component];
        if own.coefficients.is_empty() {
            own.quantisation = Some(tables.quantisation[own.table].ok_or("a quantisation table is missing")?);
            own.coefficients = vec![0; own.blocks[0] * own.blocks[1] * BLOCK];
        }
    }
    let mut bits = Bits::new(bytes);
    let most = frame.most();
    // A component alone has no blocks beyond its own size.
    let units = match scanned[..] {
        [Part { component, .. }] => frame.components[component].size.map(|side| side.div_ceil(8)),
        _ => [frame.width.div_ceil(8 * most[0]), frame.height.div_ceil(8 * most[1])],
    };
    let mut run = 0;
    for unit in 0..units[0] * units[1] {
        if tables.interval > 0 && unit > 0 && unit % tables.interval == 0 {
            bits.restart()?;
            run = 0;
            scanned.iter_mut().for_each(|part| part.predicted = 0);
        }
        let [x, y] = [unit % units[0], unit / units[0]];
        for part in &mut scanned {
            let component = &mut frame.components[part.component];
            let [h, v] = if alone { [1, 1] } else { component.sampling };
            for inner in 0..h * v {
                let at = (y * v + inner / h) * component.blocks[0] + x * h + inner % h;
                let block = component.coefficients[at * BLOCK..].first_chunk_mut().ok_or(TRUNCATED)?;
                match (frame.is_progressive, band.first, band.before) {
                    (false, ..) => sequential(&mut bits, part, block)?,
                    (_, 0, 0) => block[0] = (direct(&mut bits, part)? << band.bit) as i16,
                    (_, 0, _) => block[0] |= (bits.take(1)? << band.bit) as i16,
                    (_, _, 0) => run = first_bits(&mut bits, part, block, &band, run)?,
                    _ => run = next_bit(&mut bits, part, block, &band, run)?,
                }
            }
        }
    }
    Ok(bits.position())
}

fn code(code: Option<&Code>) -> Result<&Code, String> {
    code.ok_or_else(|| "a Huffman table is missing".into())
}

/// A block's first coefficient.
fn direct(bits: &mut Bits, part: &mut Part) -> Result<i32, String> {
    let length = bits.symbol(code(part.direct)?)?;
    if length > 15 {
        return Err("its data are damaged".into());
    }
    part.predicted = part.predicted.wrapping_add(bits.signed(length.into())?);
    Ok(part.predicted)
}

fn sequential(bits: &mut Bits, part: &mut Part, block: &mut [i16; BLOCK]) -> Result<(), String> {
    block[0] = direct(bits, part)? as i16;
    let others = code(part.others)?;
    let mut at = 1;
    while at < BLOCK {
        let symbol = bits.symbol(others)?;
        let (zeros, length) = (usize::from(symbol >> 4), symbol & 15);
        match (zeros, length) {
            (15, 0) => at += 16,
            (_, 0) => break,
            _ => {
                at += zeros;
                let place = *ZIGZAG.get(at).ok_or("its data are damaged")?;
                block[usize::from(place)] = bits.signed(length.into())? as i16;
                at += 1;
            }
        }
    }
    Ok(())
}

/// The first scan of a band: the upper bits. `run` blocks from here on have none; returns how many remain.
fn first_bits(bits: &mut Bits, part: &Part, block: &mut [i16; BLOCK], band: &Band, run: u32) -> Result<u32, String> {
    if run > 0 {
        return Ok(run - 1);
    }
    let others = code(part.others)?;
    let mut at = band.first;
    while at <= band.last {
        let symbol = bits.symbol(others)?;
        let (zeros, length) = (symbol >> 4, symbol & 15);
        match (zeros, length) {
            (15, 0) => at += 16,
            (_, 0) => return Ok((1 << zeros) - 1 + bits.take(zeros.into())? as u32),
            _ => {
                at += usize::from(zeros);
                let place = *ZIGZAG.get(at).filter(|_| at <= band.last).ok_or("its data are damaged")?;
                block[usize::from(place)] = (bits.signed(length.into())? << band.bit) as i16;
                at += 1;
            }
        }
    }
    Ok(0)
}

/// A later scan of a band: one more bit of the coefficients that are not zero yet, and those that become so.
fn next_bit(bits: &mut Bits, part: &Part, block: &mut [i16; BLOCK], band: &Band, mut run: u32) -> Result<u32, String> {
    let one = 1_i16 << band.bit;
    let refine = |bits: &mut Bits, coefficient: &mut i16| -> Result<(), String> {
        if bits.take(1)? == 1 && *coefficient & one == 0 {
            *coefficient = coefficient.wrapping_add(if *coefficient > 0 { one } else { -one });
        }
        Ok(())
    };
    let mut at = band.first;
    if run == 0 {
        let others = code(part.others)?;
        while at <= band.last {
            let symbol = bits.symbol(others)?;
            let (mut zeros, length) = (symbol >> 4, symbol & 15);
            let value = match length {
                0 if zeros < 15 => {
                    run = (1 << zeros) + bits.take(zeros.into())? as u32;
                    break;
                }
                0 => 0,
                1 => {
                    if bits.take(1)? == 1 {
                        one
                    } else {
                        -one
                    }
                }
                _ => return Err("its data are damaged".into()),
            };
            // Past so many zeros; those that are not zero do not count.
            while at <= band.last {
                let coefficient = &mut block[usize::from(ZIGZAG[at])];
                at += 1;
                if *coefficient != 0 {
                    refine(bits, coefficient)?;
                } else if zeros == 0 {
                    *coefficient = value;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
    }
    if run > 0 {
        for place in &ZIGZAG[at..band.last + 1] {
            let coefficient = &mut block[usize::from(*place)];
            if *coefficient != 0 {
                refine(bits, coefficient)?;
            }
        }
        run -= 1;
    }
    Ok(run)
}
