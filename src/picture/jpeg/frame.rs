//! Segments, the frame and its components.

use super::huffman::TRUNCATED;
use super::idct::{BLOCK, Plane, transform};

/// The segments of a file.
pub struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the mark of the image's end was reached.
    pub ended: bool,
}

impl<'a> Segments<'a> {
    /// Those after the start of the image.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 2, ended: false }
    }

    /// The next segment's mark and content. None at the end of the image, or of a file that lacks only its end mark.
    ///
    /// # Errors
    /// If the file ends inside a segment.
    pub fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, String> {
        loop {
            let Some(skip) = self.bytes.get(self.at..).and_then(|rest| rest.iter().position(|b| *b == 0xff)) else {
                return Ok(None);
            };
            let Some(&mark) = self.bytes.get(self.at + skip + 1) else { return Ok(None) };
            self.at += skip + 2;
            match mark {
                0xd9 => {
                    self.ended = true;
                    return Ok(None);
                }
                // Byte stuffing, and marks without a length.
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                0xff => self.at -= 1,
                _ => {
                    let length = self.bytes.get(self.at..self.at + 2).ok_or(TRUNCATED)?;
                    let length = usize::from(length[0]) << 8 | usize::from(length[1]);
                    let content = self.bytes.get(self.at + 2..self.at + length.max(2)).ok_or(TRUNCATED)?;
                    self.at += length.max(2);
                    return Ok(Some((mark, content)));
                }
            }
        }
    }

    /// What follows the latest segment.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Goes on after so many bytes.
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

/// The image's size and its components.
pub struct Frame {
    pub width: usize,
    pub height: usize,
    pub is_progressive: bool,
    pub components: Vec<Component>,
}

/// One of the colours, at its own resolution.
pub struct Component {
    pub id: u8,
    /// Horizontal and vertical sampling factors.
    pub sampling: [usize; 2],
    /// Number of its quantisation table.
    pub table: usize,
    /// The table when its first scan began.
    pub quantisation: Option<[u16; BLOCK]>,
    /// Width and height in numbers.
    pub size: [usize; 2],
    /// Blocks in a row, including those that only fill a unit of all components.
    pub blocks: [usize; 2],
    /// By block, each in row-major order.
    pub coefficients: Vec<i16>,
}

impl Frame {
    /// Bytes of the coefficients, and of the planes that they become.
    pub fn bytes(&self) -> u64 {
        self.components.iter().map(|c| (c.blocks[0] * c.blocks[1] * BLOCK * 3) as u64).sum()
    }

    /// Parses a frame's header.
    ///
    /// # Errors
    /// If the coding is not supported, or the header makes no sense.
    pub fn parse(mark: u8, content: &[u8]) -> Result<Self, String> {
        let kind = match mark {
            0xc0..=0xc2 => None,
            0xc9 | 0xca => Some("arithmetic coding"),
            0xc3 | 0xcb => Some("lossless coding"),
            _ => Some("hierarchical coding"),
        };
        if let Some(kind) = kind {
            return Err(format!("a JPEG with {kind}, which is not supported; save it again as baseline JPEG or PNG"));
        }
        let &[bits, high_h, low_h, high_w, low_w, count, ref rest @ ..] = content else { return Err(TRUNCATED.into()) };
        if bits != 8 {
            return Err(format!("a JPEG with {bits} bits a colour, which is not supported; save it as PNG or TIFF"));
        }
        let both = |high: u8, low: u8| usize::from(high) << 8 | usize::from(low);
        let (width, height) = (both(high_w, low_w), both(high_h, low_h));
        if width == 0 || height == 0 || !matches!(count, 1 | 3 | 4) || rest.len() < 3 * usize::from(count) {
            return Err(format!("a frame of {width}×{height} with {count} components makes no sense"));
        }
        let parts = rest.as_chunks::<3>().0.iter().take(usize::from(count));
        let samplings = parts.map(|&[id, sampling, table]| {
            let [h, v] = [usize::from(sampling >> 4), usize::from(sampling & 15)];
            let makes_sense = (1..=4).contains(&h) && (1..=4).contains(&v) && table < 4;
            makes_sense.then_some((id, [h, v], usize::from(table))).ok_or("a component's sampling makes no sense")
        });
        let samplings = samplings.collect::<Result<Vec<_>, _>>()?;
        let most = [0, 1].map(|a| samplings.iter().map(|(_, sampling, _)| sampling[a]).max().unwrap_or(1));
        if samplings.iter().any(|(_, sampling, _)| [0, 1].iter().any(|a| most[*a] % sampling[*a] != 0)) {
            return Err("a JPEG with fractional sampling, which is not supported; save it again".into());
        }
        let units = [width.div_ceil(8 * most[0]), height.div_ceil(8 * most[1])];
        let component = |(id, sampling, table): (u8, [usize; 2], usize)| {
            let size = [0, 1].map(|a| ([width, height][a] * sampling[a]).div_ceil(most[a]));
            let blocks = [0, 1].map(|a| units[a] * sampling[a]);
            Component { id, sampling, table, quantisation: None, size, blocks, coefficients: vec![] }
        };
        let components = samplings.into_iter().map(component).collect();
        Ok(Self { width, height, is_progressive: mark == 0xc2, components })
    }

    /// The largest sampling factors.
    pub fn most(&self) -> [usize; 2] {
        [0, 1].map(|a| self.components.iter().map(|c| c.sampling[a]).max().unwrap_or(1))
    }
}

impl Component {
    /// The numbers of this colour. Its coefficients are dropped.
    pub fn plane(self) -> Plane {
        let quantisation = self.quantisation.unwrap_or([1; BLOCK]);
        let stride = self.blocks[0] * 8;
        let mut numbers = vec![0; stride * self.blocks[1] * 8];
        for (row, blocks) in self.coefficients.chunks_exact(self.blocks[0] * BLOCK).enumerate() {
            for (column, block) in blocks.as_chunks().0.iter().enumerate() {
                transform(block, &quantisation, &mut numbers[row * 8 * stride + column * 8..], stride);
            }
        }
        Plane { numbers, stride, size: self.size, sampling: self.sampling }
    }
}
