//! Enlarges a component's rows to the image's size as libjpeg does: by its "fancy" triangle filter where the component has
//! half the rows or columns, and by repetition otherwise.

use super::idct::Plane;

/// The rows of a component, at the image's size.
pub struct Rows<'a> {
    plane: &'a Plane,
    /// How many columns and rows of the image one of the component's makes.
    factors: [usize; 2],
    /// The current row, and room for the sums of two rows.
    row: Vec<u8>,
    sums: Vec<u16>,
}

impl<'a> Rows<'a> {
    /// Rows of `width` numbers, for a component of a frame whose largest sampling factors are `most`.
    pub fn new(plane: &'a Plane, most: [usize; 2], width: usize) -> Self {
        let factors = [0, 1].map(|a| most[a] / plane.sampling[a]);
        // Room for whole columns of the component.
        let room = plane.size[0] * most[0].div_ceil(plane.sampling[0]);
        Self { plane, factors, row: vec![0; room.max(width)], sums: vec![0; plane.size[0]] }
    }

    /// The current row.
    pub fn row(&self) -> &[u8] {
        &self.row
    }

    /// Makes the row `y` of the image.
    pub fn make(&mut self, y: usize) {
        let Self { plane, factors: [across, down], row, sums } = self;
        let [width, height] = plane.size;
        let line = |y: usize| &plane.numbers[y.min(height - 1) * plane.stride..][..width];
        let own = line(y / *down);
        // The neighbour above for the upper of two rows, and below for the lower one.
        let is_upper = y.is_multiple_of(2);
        let near = || line(if is_upper { (y / 2).saturating_sub(1) } else { y / 2 + 1 });
        match (*across, *down) {
            (2, 1) if width > 2 => doubled(own, row),
            (1, 2) => {
                let half = if is_upper { 1 } else { 2 };
                for ((out, own), near) in row.iter_mut().zip(own).zip(near()) {
                    *out = ((3 * u16::from(*own) + u16::from(*near) + half) >> 2) as u8;
                }
            }
            (2, 2) if width > 2 => {
                for ((sum, own), near) in sums.iter_mut().zip(own).zip(near()) {
                    *sum = 3 * u16::from(*own) + u16::from(*near);
                }
                doubled_sums(sums, row);
            }
            (across, _) => {
                row.chunks_exact_mut(across).zip(own).for_each(|(out, own)| out.fill(*own));
            }
        }
    }
}

/// Twice as many columns: three parts of the nearer number, one of the farther. Halves go down, then up.
fn doubled(numbers: &[u8], row: &mut [u8]) {
    let last = numbers.len() - 1;
    let part = |own: usize, other: usize, half: u16| {
        ((3 * u16::from(numbers[own]) + u16::from(numbers[other]) + half) >> 2) as u8
    };
    for (x, out) in row.chunks_exact_mut(2).take(numbers.len()).enumerate() {
        out[0] = if x == 0 { numbers[0] } else { part(x, x - 1, 1) };
        out[1] = if x == last { numbers[last] } else { part(x, x + 1, 2) };
    }
}

/// The same for sums of rows, which are four times as large.
fn doubled_sums(sums: &[u16], row: &mut [u8]) {
    let last = sums.len() - 1;
    for (x, out) in row.chunks_exact_mut(2).take(sums.len()).enumerate() {
        let own = 3 * sums[x];
        out[0] = ((if x == 0 { 4 * sums[0] } else { own + sums[x - 1] } + 8) >> 4) as u8;
        out[1] = ((if x == last { 4 * sums[last] } else { own + sums[x + 1] } + 7) >> 4) as u8;
    }
}
