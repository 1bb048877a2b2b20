//! What a caller is asked while it waits.

use std::sync::Arc;

/// Tells whether to stop waiting.
#[derive(Clone)]
pub struct Interrupt(
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "a browser waits by itself"))]
    Arc<dyn Fn() -> bool + Send + Sync>,
);

impl Interrupt {
    pub(super) fn new(is_due: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_due))
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn is_due(&self) -> bool {
        (self.0)()
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Interrupt")
    }
}
