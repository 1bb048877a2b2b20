//! Input and output of pictures: decoding with limits, the crop that the network sees, colour maps, writing.

mod ahead;
mod colormap;
mod crop;
mod jpeg;
mod photo;
mod resample;
mod write;

pub use ahead::{Ahead, ahead};
pub use colormap::Colormap;
pub use crop::Crop;
pub use photo::Photo;
pub use write::{Format, Unfinished, encode, is_overlay, write_atomically, write_png};
