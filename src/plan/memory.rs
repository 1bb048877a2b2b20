//! Memory allocation by lifetime: values that do not live at the same time share a slot.

use super::slot::{Medium, Slot, bytes};
use crate::graph::{NodeId, Type};
use crate::kernels::Dispatch;

/// Gives each value a slot that no other live value uses. The largest values come first. Each takes the smallest slot
/// that is free for its whole life. That slot is large enough, because it was made for a larger value. ("Greedy by
/// size", Pisarchyk and Lee, arXiv 2001.03288.)
pub fn assign(
    types: &[Type],
    dispatches: &[Dispatch],
    inputs: &[NodeId],
    outputs: &[NodeId],
) -> (Vec<Slot>, Vec<Option<usize>>) {
    // The first and the last dispatch of a value's life. Inputs are written before any dispatch.
    let mut life: Vec<Option<(usize, usize)>> = vec![None; types.len()];
    inputs.iter().for_each(|&id| life[id] = Some((0, 0)));
    for (step, dispatch) in dispatches.iter().enumerate() {
        dispatch
            .written()
            .into_iter()
            .chain(dispatch.read())
            .for_each(|id| life[id].get_or_insert((step, step)).1 = step);
    }
    outputs.iter().for_each(|&id| life[id].get_or_insert((0, 0)).1 = usize::MAX);

    let size = |id: NodeId| bytes(types[id].kind, types[id].shape);
    let mut order: Vec<(NodeId, (usize, usize))> =
        life.iter().enumerate().filter_map(|(id, life)| Some((id, (*life)?))).collect();
    order.sort_unstable_by_key(|(id, _)| (std::cmp::Reverse(size(*id)), *id));
    let mut slots: Vec<Slot> = vec![];
    let mut lives: Vec<Vec<(usize, usize)>> = vec![];
    let mut slot_of = vec![None; types.len()];
    for (id, life) in order {
        let medium = Medium::of(types[id].kind);
        let apart = |other: &(usize, usize)| other.1 < life.0 || life.1 < other.0;
        let free = |s: &usize| slots[*s].medium == medium && lives[*s].iter().all(apart);
        let slot = (0..slots.len()).rev().find(free).unwrap_or(slots.len());
        if slot == slots.len() {
            slots.push(Slot { medium, bytes: size(id) });
            lives.push(vec![]);
        }
        lives[slot].push(life);
        slot_of[id] = Some(slot);
    }
    (slots, slot_of)
}
