//! RISE: Petsiuk et al., arXiv 1806.07421.

use super::method::{At, Row};
use super::sampling::{Masked, Passes};
use super::simple::given;

/// `Σ_i score of the image under mask i · mask i / (N · p)`, where masks are random grids of 7 × 7 cells, enlarged and shifted, and
/// a cell is seen with probability `p`, a half.
pub const ROW: Row =
    Row { name: "rise", at: At::Pixels, rule: None, passes: Passes::Masked(Masked::Random), raw: given, ..Row::USUAL };
