//! Whole networks, from images to heat maps. They are also compared with pytorch-grad-cam: see
//! `tools/make_verify_goldens.py`.

use safetensors::SafeTensors;

use crate::cam::Target;
use crate::error::{Error, Result};
use crate::explainer::drawing::Scene;
use crate::explainer::how::How;
use crate::explainer::recipe::Recipe;
use crate::explainer::{Classes, Images, Outputs};
use crate::graph::NodeId;
use crate::model::Model;
use crate::model::seeded::unit;
#[cfg(feature = "bundled")]
use crate::picture::Photo;
use crate::verify::case::{Case, Check, Sampled, Stage};
use crate::verify::variants::Scope;

/// Relative to the largest logit.
const LOGITS: f64 = 1e-4;
/// Absolute for a heat map in 0..1, relative to the largest value for a raw map.
const MAPS: f64 = 1e-3;
/// In steps of a byte. A heat map's value may lie at the border between two colours.
const OVERLAY: f64 = 4.0;

/// A network with weights from a formula, and its target layer. The golden holds every third row and column.
struct Seeded {
    name: &'static str,
    layer: &'static str,
    golden: &'static [u8],
}

macro_rules! seeded {
    ($($name:literal at $layer:literal),* $(,)?) => {
        [$(Seeded {
            name: $name,
            layer: $layer,
            golden: include_bytes!(concat!("../goldens/", $name, ".safetensors")),
        }),*]
    };
}

/// One network has residuals. The other has concatenations and a convolution as its head.
const NETWORKS: [Seeded; 2] = seeded![
    "resnet18" at "layer2",
    "squeezenet1_1" at "features",
];
const CLASSES: usize = 101;
const SHAPE: [usize; 4] = [1, 3, 48, 56];

pub fn cases() -> Result<Vec<Case>> {
    let networks = NETWORKS.iter().map(Seeded::case);
    #[cfg(feature = "bundled")]
    let networks = networks.chain([bundled()]);
    networks.collect()
}

/// PyTorch's values.
struct Golden<'a>(SafeTensors<'a>);

impl<'a> Golden<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self> {
        let broken = |e: safetensors::SafeTensorError| Error::Request(format!("a built-in golden: {e}"));
        SafeTensors::deserialize(bytes).map(Self).map_err(broken)
    }

    fn bytes(&self, name: &str) -> &'a [u8] {
        self.0.tensor(name).map_or(&[], |tensor| tensor.data())
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        bytemuck::pod_collect_to_vec::<_, f32>(self.bytes(name)).into_iter().map(f64::from).collect()
    }

    fn class(&self) -> usize {
        bytemuck::pod_collect_to_vec::<_, i64>(self.bytes("class"))[0] as usize
    }

    /// The heat map, which is stored as 16-bit words.
    fn heatmap(&self) -> Vec<f64> {
        let words: Vec<u16> = bytemuck::pod_collect_to_vec(self.bytes("heatmap"));
        words.into_iter().map(|word| f64::from(word) / 65535.0).collect()
    }
}

/// The case of a batch. Its golden holds every `step`th row and column of the first class's heat map.
fn case(
    name: &str,
    model: &Model,
    layer: &str,
    images: Images,
    outputs: Outputs,
    golden: &[u8],
    step: usize,
) -> Result<Case> {
    let golden = Golden::open(golden)?;
    let classes = Classes::Chosen(vec![golden.class()]);
    let recipe = Recipe::new(model, images, &classes, &outputs)?;
    let requests = recipe.requests(model, &Target::default(), &classes)?;
    let how = How::at(vec![layer.to_owned()]);
    let mut built = recipe.build(model, &how)?;
    let inputs = built.inputs(model, images, &requests)?.into_iter().map(|(id, bytes)| (id, bytes.into_owned()));
    let mut inputs: Vec<_> = inputs.collect();
    if let (Images::Photos(photos), Some(style)) = (images, outputs.overlay) {
        let scene = Scene::new(photos, (0..photos.len() * recipe.maps).map(|map| vec![map]).collect(), &how);
        let drawn = scene.append(&mut built.graph, built.heatmap, &model.preprocess)?;
        let colours = style.colours();
        let drawn_of = drawn.inputs(bytemuck::cast_slice(&colours), photos);
        inputs.extend(drawn_of.into_iter().map(|(id, bytes)| (id, bytes.to_owned())));
        built.outputs.extend(drawn.outputs);
    }
    // In the recipe's order: records and ranges, logits, raw map, heat map, overlays.
    let whole = |values: Vec<f64>| Some(Sampled { step: 1, values });
    let kinds = [
        (Stage::Logits, LOGITS, None),
        (Stage::Map, MAPS, None),
        (Stage::Logits, LOGITS, whole(golden.numbers("logits"))),
        (Stage::Map, MAPS, whole(golden.numbers("map"))),
        (Stage::Heatmap, MAPS, Some(Sampled { step, values: golden.heatmap() })),
    ];
    let overlays = std::iter::repeat_with(|| (Stage::Overlay, OVERLAY, None));
    let checks = built.outputs.iter().zip(kinds.into_iter().chain(overlays));
    let check = |(&node, (stage, tolerance, pytorch)): (&NodeId, _)| Check { node, stage, tolerance, pytorch };
    let checks = checks.map(check).collect();
    Ok(Case { name: name.into(), graph: built.graph, inputs, checks, force: |profile| profile, scope: Scope::Networks })
}

impl Seeded {
    fn case(&self) -> Result<Case> {
        let gain: Vec<f32> = bytemuck::pod_collect_to_vec(Golden::open(self.golden)?.bytes("gain"));
        let model = Model::seeded(self.name, CLASSES, gain[0])?;
        let values = image();
        let images = Images::Tensor { shape: SHAPE, values: &values };
        let outputs = Outputs { predictions: 3, logits: true, raw: true, heatmap: true, ..Outputs::default() };
        case(self.name, &model, self.layer, images, outputs, self.golden, 3)
    }
}

/// The first image of `tools/networks.py`, which makes a batch of two.
fn image() -> Vec<f32> {
    let [_, c, h, w] = SHAPE;
    let noise = unit("input 0", 2 * c * h * w).map(|u| u * 4.0 - 2.0).take(c * h * w);
    let pixel = |(at, noise): (usize, f32)| {
        let (x, y, c) = (at % w, at / w % h, at / w / h);
        let contrast = ((y / 32 + x / 48 + c) % 3) as f32 * 0.5;
        let brightness = ((y / 40 + 2 * (x / 56) + c) % 4) as f32 - 1.5;
        noise * contrast + brightness
    };
    noise.enumerate().map(pixel).collect()
}

/// The bundled model on a picture, with an overlay.
#[cfg(feature = "bundled")]
fn bundled() -> Result<Case> {
    let model = Model::bundled()?;
    let photo = [Photo::decode("picture", include_bytes!("../goldens/picture.png"))?];
    let overlay = Some(crate::Style::default());
    let outputs =
        Outputs { predictions: 5, logits: true, embedding: false, raw: true, heatmap: true, overlay, clock: false };
    let golden = include_bytes!("../goldens/picture.safetensors");
    case(crate::model::BUNDLED, &model, model.default_layer(), Images::Photos(&photo), outputs, golden, 5)
}
