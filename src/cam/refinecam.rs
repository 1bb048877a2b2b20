//! Refine-CAM: pytorch-grad-cam's.

use super::fusion::Fusion;
use super::gradcam_plus_plus;
use super::method::Row;

/// The product of the heat maps that Grad-CAM++ makes of several layers: what all of them show.
pub const ROW: Row = Row { name: "refinecam", fusion: Fusion::Product, ..gradcam_plus_plus::ROW };
