//! The context in which a kernel is lowered, and the kinds of dispatches that it makes.

use bytemuck::Pod;

use super::constant::Constant;
use super::dispatch::{Dispatch, Operand, View};
use super::epilogue::Epilogue;
use super::profile::Profile;
use super::prologue::Prologue;
use super::texel::blocks;
use super::tiling::Tile;
use crate::graph::{Graph, NodeId, Shape};

/// A node with the nodes that its kernel absorbs.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The node.
    pub node: NodeId,
    /// The absorbed nodes before it.
    pub prologue: Option<Prologue>,
    /// The absorbed nodes after it.
    pub epilogue: Epilogue,
}

/// The context in which a kernel is lowered.
pub struct Context<'a> {
    pub profile: &'a Profile,
    pub graph: &'a Graph,
    pub id: NodeId,
    pub prologue: Option<Prologue>,
    pub epilogue: Epilogue,
    pub views: &'a [Option<View>],
    pub scratch: &'a mut Vec<Shape>,
}

impl Context<'_> {
    pub fn shape(&self) -> Shape {
        self.graph.shape(self.id)
    }

    /// Shape of operand `i`.
    pub fn input(&self, i: usize) -> Shape {
        self.graph.shape(self.operand(i))
    }

    /// Operand `i`, or the prologue's input if there is a prologue.
    pub fn operand(&self, i: usize) -> NodeId {
        self.prologue.map_or_else(|| self.graph.nodes[self.id].inputs[i], |prologue| prologue.input(self.graph))
    }

    /// A new value between two dispatches of the node.
    pub fn scratch(&mut self, shape: Shape) -> NodeId {
        self.scratch.push(shape);
        self.graph.nodes.len() + self.scratch.len() - 1
    }

    /// Defines of the epilogue, and its operand if it has one.
    pub fn epilogue(&self) -> (Vec<(&'static str, u32)>, Option<Operand>) {
        (self.epilogue.defines(), self.epilogue.extra.map(|extra| Operand::Read(extra.node())))
    }

    /// Where a value lies.
    pub fn view(&self, value: NodeId) -> View {
        self.views[value].unwrap_or_else(|| View::whole(value, blocks(self.graph.shape(value)[1])))
    }

    /// A dispatch of `groups` workgroups.
    pub fn dispatch(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        operands: Vec<Operand>,
        groups: usize,
    ) -> Dispatch {
        let mut all = vec![];
        if self.profile.texture {
            all.push(("TEXTURE", 1));
        }
        if self.profile.half && operands.iter().any(|o| matches!(o, Operand::Constant(c) if c.halves())) {
            all.push(("HALF", 1));
        }
        all.extend_from_slice(defines);
        let params = bytemuck::bytes_of(&params).to_vec();
        let before = self.prologue.into_iter().flat_map(Prologue::nodes).collect();
        let groups = groups as u32;
        Dispatch { node: self.id, before, shader, defines: all, params, operands, groups, product: None }
    }

    /// The node's operands, then `constant`, then its value.
    pub fn plainly(&self, constant: Option<Constant>) -> Vec<Operand> {
        let reads = self.graph.nodes[self.id].inputs.iter().map(|&i| Operand::Read(self.view(i).value));
        let write = Operand::Write(self.view(self.epilogue.value).value);
        reads.chain(constant.map(Operand::Constant)).chain([write]).collect()
    }

    /// A dispatch of independent invocations, `workgroup` in each workgroup.
    pub fn independent(
        &self,
        workgroup: u32,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        operands: Vec<Operand>,
        invocations: usize,
    ) -> Dispatch {
        let all = [&[("WORKGROUP", workgroup)], defines].concat();
        self.dispatch(shader, &all, params, operands, invocations.div_ceil(workgroup as usize))
    }

    /// A dispatch of `tiles` tiles. The first shader makes register tiles, the second macro tiles.
    pub fn tiled(
        &self,
        tile: &Tile,
        [register, shared]: [&'static str; 2],
        defines: &[(&'static str, u32)],
        params: impl Pod,
        operands: Vec<Operand>,
        tiles: usize,
    ) -> Dispatch {
        let (shader, workgroup) = match tile.team {
            Some(team) => (shared, team.invocations(tile)),
            None => (register, self.profile.tiled),
        };
        let invocations = tiles * tile.invocations() as usize;
        self.independent(workgroup, shader, defines, params, operands, invocations)
    }

    /// A dispatch of light, independent invocations.
    pub fn elementwise(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Option<Constant>,
        invocations: usize,
    ) -> Dispatch {
        self.independent(self.profile.flat, shader, defines, params, self.plainly(constant), invocations)
    }

    /// A dispatch in which several invocations share each of `outputs`.
    pub fn cooperative(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Option<Constant>,
        outputs: usize,
    ) -> Dispatch {
        let [lanes, per_group] = self.profile.lanes;
        let mut all = vec![("WORKGROUP", lanes * per_group), ("LANES", lanes), ("OUTPUTS", per_group)];
        if lanes > 1 {
            all.push(("COOPERATIVE", 1));
        }
        all.extend_from_slice(defines);
        self.dispatch(shader, &all, params, self.plainly(constant), outputs.div_ceil(per_group as usize))
    }
}
