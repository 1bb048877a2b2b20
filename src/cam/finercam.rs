//! Finer-CAM: Zhang et al., arXiv 2501.11309, as pytorch-grad-cam computes it.

use super::gradcam;
use super::method::Row;
use super::sampling::Passes;

/// Grad-CAM of what tells the class from the three with the closest scores, see [`super::closest`].
pub const ROW: Row = Row { name: "finercam", passes: Passes::Closest, ..gradcam::ROW };
