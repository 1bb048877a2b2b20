//! Input and output of pictures: decoding with limits, the crop that the network sees, colour maps, writing.

mod ahead;
mod colormap;
mod crop;
mod deep;
mod jpeg;
mod kinds;
mod photo;
mod resample;
mod window;
mod write;

pub use ahead::{Ahead, ahead};
pub use colormap::Colormap;
pub use crop::Crop;
pub use photo::Photo;
pub use window::Window;
pub use write::{Format, Unfinished, encode, is_overlay, write_atomically, write_png};
