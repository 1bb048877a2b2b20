//! From a file's colours to RGBA, as libjpeg and Pillow round it.

use super::upsample::Rows;

/// How the file's components become colours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    /// CMYK whose first three are stored as YCbCr.
    Ycck,
}

/// Converts one row.
pub fn convert(colours: Colours, rows: &[Rows], line: &mut [u8]) {
    let row = |i: usize| rows[i].row();
    let pixels = line.as_chunks_mut::<4>().0.iter_mut();
    match (colours, rows.len()) {
        (Colours::Grey, _) => pixels.zip(row(0)).for_each(|(out, y)| out[..3].fill(*y)),
        (Colours::Rgb, _) => {
            for (x, out) in pixels.enumerate() {
                out[..3].copy_from_slice(&[row(0)[x], row(1)[x], row(2)[x]]);
            }
        }
        (Colours::YCbCr, _) => {
            for (((out, y), cb), cr) in pixels.zip(row(0)).zip(row(1)).zip(row(2)) {
                out[..3].copy_from_slice(&rgb(*y, *cb, *cr));
            }
        }
        (Colours::Cmyk | Colours::Ycck, _) => {
            for (x, out) in pixels.enumerate() {
                let first = [row(0)[x], row(1)[x], row(2)[x]];
                // Ink, of which files hold the complement, by Adobe's convention.
                let ink = match colours {
                    Colours::Ycck => rgb(first[0], first[1], first[2]),
                    _ => first.map(|v| 255 - v),
                };
                out[..3].copy_from_slice(&printed(ink, 255 - row(3)[x]));
            }
        }
    }
}

/// ITU-R BT.601 over the whole range, with 16 fractional bits.
pub fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let r = y + ((91881 * cr + HALF) >> 16);
    let g = y + ((-22554 * cb - 46802 * cr + HALF) >> 16);
    let b = y + ((116_130 * cb + HALF) >> 16);
    [r, g, b].map(|v| v.clamp(0, 255) as u8)
}

/// Inks and black on white, as Pillow's `convert("RGB")` prints them.
fn printed(ink: [u8; 3], black: u8) -> [u8; 3] {
    let white = 255 - i32::from(black);
    ink.map(|ink| {
        let product = i32::from(ink) * white + 128;
        (white - (((product >> 8) + product) >> 8)).clamp(0, 255) as u8
    })
}
