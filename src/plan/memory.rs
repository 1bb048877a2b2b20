//! Memory by lifetime: nodes that do not live at the same time share a slot.

use super::bytes;
use crate::graph::{Kind, NodeId, Type};
use crate::kernels::Dispatch;

/// What a piece of memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Texels of four channels after one zero texel: a buffer or a texture, as the profile says.
    Texels,
    /// Words of four bytes: a buffer.
    Words,
}

/// A piece of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is.
    pub medium: Medium,
    /// Its size.
    pub bytes: u64,
}

/// Gives each value a slot that nothing alive uses.
pub fn assign(
    types: &[Type],
    dispatches: &[Dispatch],
    inputs: &[NodeId],
    outputs: &[NodeId],
) -> (Vec<Slot>, Vec<Option<usize>>) {
    let mut last_read = vec![0; types.len()];
    for (step, dispatch) in dispatches.iter().enumerate() {
        dispatch.read().for_each(|id| last_read[id] = step);
    }
    outputs.iter().for_each(|&o| last_read[o] = usize::MAX);

    let mut pool = Pool { slots: vec![], free: vec![], place: vec![None; types.len()] };
    let mut alive: Vec<NodeId> = vec![];
    // Inputs are written before anything runs, so all of them live from the start.
    for &id in inputs {
        pool.take(types[id], id);
        alive.push(id);
    }
    for (step, dispatch) in dispatches.iter().enumerate() {
        // Another piece of a value may have been written already.
        if let Some(id) = dispatch.written().filter(|id| pool.place[*id].is_none()) {
            pool.take(types[id], id);
            alive.push(id);
        }
        alive.retain(|&id| {
            let goes_on = last_read[id] > step;
            if !goes_on {
                pool.free.extend(pool.place[id]);
            }
            goes_on
        });
    }
    (pool.slots, pool.place)
}

struct Pool {
    slots: Vec<Slot>,
    free: Vec<usize>,
    place: Vec<Option<usize>>,
}

impl Pool {
    /// Places a node in the smallest free slot that is large enough, else in the largest one, grown.
    fn take(&mut self, ty: Type, id: NodeId) {
        let medium = if ty.kind == Kind::Features { Medium::Texels } else { Medium::Words };
        let bytes = bytes(ty.kind, ty.shape);
        let fitting = || self.free.iter().copied().filter(|&s| self.slots[s].medium == medium);
        let size = |s: &usize| self.slots[*s].bytes;
        let found = fitting().filter(|s| size(s) >= bytes).min_by_key(size).or_else(|| fitting().max_by_key(size));
        let slot = found.unwrap_or(self.slots.len());
        if found.is_none() {
            self.slots.push(Slot { medium, bytes });
        }
        self.slots[slot].bytes = self.slots[slot].bytes.max(bytes);
        self.free.retain(|&s| s != slot);
        self.place[id] = Some(slot);
    }
}
