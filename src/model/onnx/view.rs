//! How a value's logical axes lie on a feature map's channels, rows and columns. Reshapes and transpositions change only this.

use std::cmp::Reverse;

use super::tensor::places;
use crate::graph::{Digit, Rearrange, Side};

/// A part of a logical axis: so many steps along an axis of the feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atom {
    /// 0 for channels, 1 for rows, 2 for columns.
    pub axis: usize,
    pub extent: usize,
    pub stride: usize,
}

/// Logical axes, each with its atoms, the outermost first. Together the atoms count each number of the feature map once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub axes: Vec<Vec<Atom>>,
}

/// Where logical axes go: those that become channels, rows and columns, the outermost first.
pub type Layout<'a> = [&'a [usize]; 3];

impl View {
    /// A feature map as `[1,c,h,w]`.
    pub fn map([c, h, w]: [usize; 3]) -> Self {
        Self::new(&[1, c, h, w], [&[1], &[2], &[3]])
    }

    /// Axes of these extents on a feature map of this layout. The image's axis is in no list.
    pub fn new(dims: &[usize], layout: Layout) -> Self {
        let mut axes = vec![vec![]; dims.len()];
        for (axis, list) in layout.into_iter().enumerate() {
            let mut stride = 1;
            for &logical in list.iter().rev() {
                if dims[logical] > 1 {
                    axes[logical] = vec![Atom { axis, extent: dims[logical], stride }];
                    stride *= dims[logical];
                }
            }
        }
        Self { axes }
    }

    /// The channels, rows and columns of a feature map of this layout.
    pub fn extents(dims: &[usize], layout: Layout) -> [usize; 3] {
        layout.map(|list| list.iter().map(|axis| dims[*axis]).product())
    }

    pub fn dims(&self) -> Vec<usize> {
        (0..self.axes.len()).map(|axis| self.extent(axis)).collect()
    }

    pub fn extent(&self, axis: usize) -> usize {
        self.axes[axis].iter().map(|atom| atom.extent).product()
    }

    pub fn rank(&self) -> usize {
        self.axes.len()
    }

    pub fn transposed(&self, order: &[usize]) -> Self {
        Self { axes: order.iter().map(|axis| self.axes[*axis].clone()).collect() }
    }

    /// The same numbers in the same order with other extents, if the atoms allow.
    pub fn reshaped(&self, dims: &[usize]) -> Option<Self> {
        let mut atoms = joined(self.axes.concat()).into_iter();
        let mut rest: Option<Atom> = None;
        let mut axes = vec![];
        for &extent in dims {
            let (mut axis, mut needed) = (vec![], extent);
            while needed > 1 {
                let atom = rest.take().or_else(|| atoms.next())?;
                if needed.is_multiple_of(atom.extent) {
                    needed /= atom.extent;
                    axis.push(atom);
                } else if atom.extent.is_multiple_of(needed) {
                    // The outer part belongs to this axis.
                    let inner = atom.extent / needed;
                    axis.push(Atom { extent: needed, stride: atom.stride * inner, ..atom });
                    rest = Some(Atom { extent: inner, ..atom });
                    needed = 1;
                } else {
                    return None;
                }
            }
            axes.push(joined(axis));
        }
        (rest.is_none() && atoms.next().is_none()).then_some(Self { axes })
    }

    /// The place on a feature map of these extents of each number, in the order of the logical axes.
    pub fn places(&self, [_, h, w]: [usize; 3]) -> impl Iterator<Item = usize> + use<> {
        let atoms = self.axes.concat();
        let strides = [h * w, w, 1];
        let steps = atoms.iter().map(|atom| atom.stride * strides[atom.axis]).collect();
        places(atoms.iter().map(|atom| atom.extent).collect(), 0, steps)
    }

    /// Whether a logical axis is all of one axis of a feature map, as it lies there.
    pub fn is_all_of(&self, logical: usize, axis: usize, extents: [usize; 3]) -> bool {
        match self.axes[logical][..] {
            [] => extents[axis] == 1,
            [atom] => atom == Atom { axis, extent: extents[axis], stride: 1 },
            _ => false,
        }
    }

    /// The rearrangement that brings a feature map into another layout, and the view of the result. None where the
    /// feature map has that layout already.
    pub fn laid_out(&self, extents: [usize; 3], layout: Layout) -> (Option<Rearrange>, Self) {
        let dims = self.dims();
        let view = Self::new(&dims, layout);
        let to = Self::extents(&dims, layout);
        let mut digits = vec![];
        for (list, at) in layout.into_iter().zip(0..) {
            let mut stride = to[at];
            for atom in list.iter().flat_map(|axis| &self.axes[*axis]) {
                stride /= atom.extent;
                digits.push(Digit {
                    extent: atom.extent,
                    from: Some((atom.axis, atom.stride)),
                    to: Some((at, stride)),
                });
            }
        }
        let digits = merged(digits);
        let stays = extents == to && digits.iter().all(|digit| digit.from == digit.to);
        let moves = Rearrange { from: Side::whole(extents), to: Side::whole(to), digits };
        ((!stays).then_some(moves), view)
    }
}

/// Digits by their places in the output, where neighbours that count on without a gap on both sides are one.
pub fn merged(mut digits: Vec<Digit>) -> Vec<Digit> {
    digits.sort_by_key(|digit| digit.to.map(|(axis, stride)| (axis, Reverse(stride))));
    let mut merged: Vec<Digit> = vec![];
    for digit in digits.into_iter().filter(|digit| digit.extent > 1) {
        let follows = |outer: Option<(usize, usize)>, inner: Option<(usize, usize)>| match (outer, inner) {
            (Some((a, outer)), Some((b, inner))) => a == b && outer == inner * digit.extent,
            (None, None) => true,
            _ => false,
        };
        match merged.last_mut() {
            Some(last) if follows(last.from, digit.from) && follows(last.to, digit.to) => {
                *last = Digit { extent: last.extent * digit.extent, ..digit };
            }
            _ => merged.push(digit),
        }
    }
    merged
}

/// Neighbouring atoms that count on without a gap, as one.
pub fn joined(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut joined: Vec<Atom> = vec![];
    for atom in atoms {
        match joined.last_mut() {
            Some(last) if last.axis == atom.axis && last.stride == atom.stride * atom.extent => {
                *last = Atom { extent: last.extent * atom.extent, ..atom };
            }
            _ => joined.push(atom),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes() {
        let map = View::map([6, 4, 5]);
        // A channel shuffle.
        let shuffled =
            map.reshaped(&[1, 2, 3, 4, 5]).unwrap().transposed(&[0, 2, 1, 3, 4]).reshaped(&[1, 6, 4, 5]).unwrap();
        assert_eq!(shuffled.axes[1].len(), 2);
        let (moves, view) = shuffled.laid_out([6, 4, 5], [&[1], &[2], &[3]]);
        assert_eq!((moves.unwrap().digits.len(), view), (4, map.clone()));
        // Tokens, and back.
        let tokens = map.reshaped(&[1, 6, 20]).unwrap().transposed(&[0, 2, 1]);
        assert_eq!((tokens.dims(), tokens.axes[1].len()), (vec![1, 20, 6], 2));
        assert_eq!(tokens.transposed(&[0, 2, 1]).reshaped(&[1, 6, 4, 5]).unwrap(), map);
        assert!(tokens.laid_out([6, 4, 5], [&[2], &[], &[1]]).0.unwrap().digits.len() == 3);
        // Rows in windows of two.
        let windows = map.reshaped(&[1, 6, 2, 2, 5]).unwrap();
        assert_eq!(windows.axes[2], [Atom { axis: 1, extent: 2, stride: 2 }]);
        assert!(map.reshaped(&[1, 4, 6, 5]).is_none() && map.reshaped(&[1, 6, 4]).is_none());
        assert!(map.laid_out([6, 4, 5], [&[1], &[2], &[3]]).0.is_none());
    }
}
