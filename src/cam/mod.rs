//! Class activation maps. A method is one file with its recipe, and one row in the table below.

mod gradcam;
mod heatmap;
mod method;
mod status;

pub use heatmap::Maps;
pub use method::{At, Layer, Row};
pub use status::Status;

use std::str::FromStr;

use crate::error::Error;
use crate::graph::{Graph, GraphError};

/// How activations and gradients become a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Selvaraju et al., arXiv 1610.02391: `Σ_k mean(G_k) · A_k`.
    #[default]
    GradCam,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 1] = [Self::GradCam];

    /// Its row of the table.
    pub(crate) fn row(self) -> &'static Row {
        match self {
            Self::GradCam => &gradcam::ROW,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let names = || Self::ALL.into_iter().map(Self::name);
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| Error::unknown("method", name, "gradcam explain --help", names()))
    }
}

/// Appends the recipe of `method` for `layers`, up to one heat map of `size`.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit, or if there is no layer.
pub fn recipe(graph: &mut Graph, method: Method, layers: &[Layer], size: [usize; 2]) -> Result<Maps, GraphError> {
    heatmap::heatmap(graph, method.row(), layers, size)
}
