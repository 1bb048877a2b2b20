//! The inverse cosine transform as libjpeg's `jpeg_idct_islow` rounds it: Loeffler, Ligtenberg and Moschytz, ICASSP 1989,
//! with constants of 13 fractional bits, and two more after the columns.

/// Numbers of a block of 8 × 8.
pub const BLOCK: usize = 64;

/// A component's numbers.
pub struct Plane {
    /// Row by row, with those of whole blocks beyond the size.
    pub numbers: Vec<u8>,
    /// Numbers in a row.
    pub stride: usize,
    /// Width and height.
    pub size: [usize; 2],
    /// Horizontal and vertical sampling factors.
    pub sampling: [usize; 2],
}

const CONSTANT: i32 = 13;
const AFTER_COLUMNS: i32 = 2;

/// Eight numbers of a row or column, each scaled by 2^13 and not yet rounded.
fn eight([x0, x1, x2, x3, x4, x5, x6, x7]: [i32; 8]) -> [i32; 8] {
    // The even part, then the odd one. Damaged files may overflow, so all wraps.
    let times = |x: i32, constant: i32| x.wrapping_mul(constant);
    let add = i32::wrapping_add;
    let z = times(add(x2, x6), 4433);
    let (even2, even3) = (add(z, times(x6, -15137)), add(z, times(x2, 6270)));
    let (even0, even1) = (add(x0, x4).wrapping_shl(13), x0.wrapping_sub(x4).wrapping_shl(13));
    let e = [add(even0, even3), add(even1, even2), even1.wrapping_sub(even2), even0.wrapping_sub(even3)];

    let z5 = times(add(add(x7, x3), add(x5, x1)), 9633);
    let (z1, z2) = (times(add(x7, x1), -7373), times(add(x5, x3), -20995));
    let (z3, z4) = (add(times(add(x7, x3), -16069), z5), add(times(add(x5, x1), -3196), z5));
    let o = [
        add(times(x1, 12299), add(z1, z4)),
        add(times(x3, 25172), add(z2, z3)),
        add(times(x5, 16819), add(z2, z4)),
        add(times(x7, 2446), add(z1, z3)),
    ];
    std::array::from_fn(|i| if i < 4 { add(e[i], o[i]) } else { e[7 - i].wrapping_sub(o[7 - i]) })
}

fn descale(x: i32, bits: i32) -> i32 {
    x.wrapping_add(1 << (bits - 1)) >> bits
}

/// Writes a block's 8 × 8 numbers into `out`, whose rows are `stride` apart.
pub fn transform(block: &[i16; BLOCK], quantisation: &[u16; BLOCK], out: &mut [u8], stride: usize) {
    let limit = |x: i32| (x + 128).clamp(0, 255) as u8;
    let value = |i: usize| i32::from(block[i]).wrapping_mul(i32::from(quantisation[i]));
    if block[1..].iter().all(|coefficient| *coefficient == 0) {
        let flat = limit(descale(value(0) << AFTER_COLUMNS, AFTER_COLUMNS + 3));
        out.chunks_mut(stride).take(8).for_each(|row| row[..8].fill(flat));
        return;
    }
    let columns: [[i32; 8]; 8] = std::array::from_fn(|column| {
        eight(std::array::from_fn(|row| value(row * 8 + column))).map(|x| descale(x, CONSTANT - AFTER_COLUMNS))
    });
    for (row, line) in out.chunks_mut(stride).take(8).enumerate() {
        let numbers = eight(std::array::from_fn(|column| columns[column][row]));
        line[..8].copy_from_slice(&numbers.map(|x| limit(descale(x, CONSTANT + AFTER_COLUMNS + 3))));
    }
}
