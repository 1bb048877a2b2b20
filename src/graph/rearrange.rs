//! Numbers that are moved, repeated or added: permutations, slices, paddings, repetitions and sums.

use super::value::Shape;

/// `y[start + Σ digit · stride] += x[start + Σ digit · stride]` for all values of the digits, in each image. What no
/// digits reach is 0.
///
/// A digit may be missing on one side. Missing in `x`, numbers are repeated; missing in `y`, they are added. So the
/// gradient of a rearrangement is a rearrangement: the same with its sides exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rearrange {
    /// The input.
    pub from: Side,
    /// The output.
    pub to: Side,
    /// Number of values of each digit.
    pub digits: Vec<Digit>,
}

/// A feature map on one side of a rearrangement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Channels, rows and columns.
    pub extents: [usize; 3],
    /// Where digits of value 0 point to.
    pub start: [usize; 3],
}

/// A digit of a place: an axis is counted by its digits, as hours and minutes count a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// Number of its values.
    pub extent: usize,
    /// Its axis and stride in the input: 0 for channels, 1 for rows, 2 for columns.
    pub from: Option<(usize, usize)>,
    /// Its axis and stride in the output.
    pub to: Option<(usize, usize)>,
}

/// The most numbers that are added at once.
const MAX_ADDED: usize = 1 << 13;
/// The most digits of a rearrangement.
pub const MAX_DIGITS: usize = 10;

impl Side {
    /// All of a feature map.
    pub fn whole(extents: [usize; 3]) -> Self {
        Self { extents, start: [0; 3] }
    }
}

impl Rearrange {
    /// The gradient's rearrangement.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let digits = self.digits.iter().map(|digit| Digit { from: digit.to, to: digit.from, ..*digit });
        Self { from: self.to, to: self.from, digits: digits.collect() }
    }

    /// Several rearrangements, one after another, that together do the same and each add few numbers at once.
    pub fn stages(&self) -> Vec<Self> {
        let mut left = self.clone();
        // A digit of many values becomes two.
        while let Some(at) = left.digits.iter().position(|d| d.to.is_none() && d.extent > MAX_ADDED) {
            let Digit { extent, from, .. } = left.digits[at];
            let Some(inner) = (2..=MAX_ADDED).rev().find(|inner| extent.is_multiple_of(*inner)) else { break };
            let outer = from.map(|(axis, stride)| (axis, stride * inner));
            left.digits[at].extent = inner;
            left.digits.push(Digit { extent: extent / inner, from: outer, to: None });
        }
        let mut stages = vec![];
        loop {
            let mut added: Vec<usize> = (0..left.digits.len()).filter(|at| left.digits[*at].to.is_none()).collect();
            let count = |added: &[usize]| added.iter().map(|at| left.digits[*at].extent).product::<usize>();
            if count(&added) <= MAX_ADDED || added.len() < 2 {
                stages.push(left);
                return stages;
            }
            // As many digits as fit are added. The others move together and keep their order.
            while count(&added) > MAX_ADDED && added.len() > 1 {
                added.pop();
            }
            let mut places: Vec<usize> = (0..left.digits.len()).filter(|at| left.digits[*at].from.is_some()).collect();
            places.sort_by_key(|at| left.digits[*at].from);
            let (mut extents, mut digits) = ([1; 3], vec![]);
            for at in places {
                let Digit { extent, from, .. } = left.digits[at];
                let axis = from.map_or(0, |(axis, _)| axis);
                let to = (!added.contains(&at)).then_some((axis, extents[axis]));
                digits.push(Digit { extent, from, to });
                if to.is_some() {
                    extents[axis] *= extent;
                    left.digits[at].from = to;
                }
            }
            stages.push(Self { from: left.from, to: Side::whole(extents), digits });
            left.from = Side::whole(extents);
            let mut at = 0;
            left.digits.retain(|_| {
                at += 1;
                !added.contains(&(at - 1))
            });
        }
    }

    /// The output's shape.
    ///
    /// # Errors
    /// Why there is none.
    pub fn shape(&self, [n, c, h, w]: Shape) -> Result<Shape, String> {
        if self.from.extents != [c, h, w] {
            return Err(format!("{:?} is not the input [{c}, {h}, {w}]", self.from.extents));
        }
        let added: usize = self.digits.iter().filter(|digit| digit.to.is_none()).map(|digit| digit.extent).product();
        if added > MAX_ADDED {
            return Err(format!("{added} numbers are added at once, over {MAX_ADDED}"));
        }
        if self.digits.len() > MAX_DIGITS {
            return Err(format!("{} digits are over {MAX_DIGITS}", self.digits.len()));
        }
        for (side, places) in [(&self.from, self.places(|digit| digit.from)), (&self.to, self.places(|digit| digit.to))]
        {
            for axis in 0..3 {
                let mut reached = 0;
                // Each place has at most one value of each digit if a digit's stride is beyond the reach of those below it.
                for &(extent, stride) in places.iter().filter(|(at, _)| *at == axis).map(|(_, digit)| digit) {
                    if stride <= reached {
                        return Err(format!("digits of axis {axis} overlap in {self:?}"));
                    }
                    reached += stride * (extent - 1);
                }
                if side.start[axis] + reached >= side.extents[axis] {
                    return Err(format!("digits of axis {axis} reach too far in {self:?}"));
                }
            }
        }
        let [c, h, w] = self.to.extents;
        Ok([n, c, h, w])
    }

    /// Axis, extent and stride of the digits on one side, by their strides.
    fn places(&self, side: impl Fn(&Digit) -> Option<(usize, usize)>) -> Vec<(usize, (usize, usize))> {
        let mut places: Vec<_> =
            self.digits.iter().filter_map(|d| side(d).map(|(axis, stride)| (axis, (d.extent, stride)))).collect();
        places.sort_unstable_by_key(|(_, (_, stride))| *stride);
        places
    }
}
