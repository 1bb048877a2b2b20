//! Input and output of pictures: decoding with limits, the crop that the network sees, colour maps, encoding.

mod ahead;
mod colormap;
mod crop;
mod deep;
mod encode;
mod jpeg;
mod kinds;
mod photo;
mod resample;
mod webp;
mod window;

pub use ahead::{Ahead, Turn, ahead};
pub use colormap::Colormap;
pub use crop::Crop;
pub use encode::{Format, encode, is_overlay, write_png};
pub use photo::{MAX_FILE, Photo};
pub use window::Window;
