//! What `gradcam.js` calls in its worker: the engine behind JSON and typed arrays.

mod request;

use std::sync::Arc;

use gradcam::gpu::Verdicts;
use gradcam::picture::Crop;
use gradcam::{Device, Error, Explainer, Gpu, GpuOptions, Heatmap, Images, Map, Method, Model, Photo, Prediction};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use request::{ModelRequest, OpenRequest, Request, parse};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn complain(text: &str);
}

/// An error of JavaScript. Its name tells whether another device has to be opened.
fn thrown(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name(if error.is_final() { "DeviceLost" } else { "GradcamError" });
    thrown.into()
}

/// Names that requests may use, as JSON.
#[wasm_bindgen]
pub fn names() -> String {
    let methods: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
    let colormaps = gradcam::Colormap::ALL.map(|(name, _)| name);
    json!({"methods": methods, "colormaps": colormaps}).to_string()
}

/// A picture to explain.
#[wasm_bindgen]
pub struct Picture(Photo);

#[wasm_bindgen]
impl Picture {
    /// Decodes a picture file.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self, JsValue> {
        Photo::decode(name, bytes).map(Self).map_err(thrown)
    }

    /// Takes RGBA bytes.
    pub fn of(name: &str, width: u32, height: u32, rgba: Vec<u8>) -> Result<Self, JsValue> {
        Photo::from_rgba(name, width, height, rgba).map(Self).map_err(thrown)
    }
}

/// An open device, and the model that is explained.
#[wasm_bindgen]
pub struct Engine {
    device: Device,
    explainer: Option<Explainer>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the device.
    pub async fn open(options: String) -> Result<Self, JsValue> {
        std::panic::set_hook(Box::new(|panic| complain(&panic.to_string())));
        let OpenRequest { variant, half_weights, verdicts } = parse(&options).map_err(thrown)?;
        let options = GpuOptions::default().half_weights(half_weights).measured(verdicts);
        let options = variant.map_or(Ok(options.clone()), |variant| options.variant(&variant)).map_err(thrown)?;
        let gpu = Gpu::open(&options).await.map_err(thrown)?;
        Ok(Self { device: Device::from(gpu), explainer: None })
    }

    /// What is to be known of the device, as JSON. `verdicts` may be given to the next [`Engine::open`].
    pub fn device(&self) -> String {
        let gpu = self.gpu();
        let mut verdicts = Verdicts::default();
        verdicts.insert(gpu.info(), gpu.verdict().clone());
        let (variant, variants) = (gpu.variant(), gpu.variants());
        json!({"software": gpu.info().software, "variant": variant, "variants": variants, "verdicts": verdicts})
            .to_string()
    }

    /// Explains the model of a weights file from now on, and describes it as JSON. On an error the old one stays.
    pub fn load(&mut self, name: &str, weights: &[u8], options: &str) -> Result<String, JsValue> {
        let options = parse::<ModelRequest>(options).map_err(thrown)?.options();
        let model = Model::parse(name, weights, &options).map_err(thrown)?;
        let described = describe(&model).map_err(thrown)?.to_string();
        // The old model's memory is not needed any more.
        self.explainer = None;
        self.explainer = Some(Explainer::new(model, self.device.clone()));
        Ok(described)
    }

    /// Begins to explain a picture. The next one may be submitted before this one is finished.
    pub async fn submit(&mut self, picture: Picture, request: String) -> Result<Pending, JsValue> {
        let request: Request = parse(&request).map_err(thrown)?;
        let explainer = self.explainer()?;
        request.apply(explainer).map_err(thrown)?;
        let classes = request.classes(explainer.model()).map_err(thrown)?;
        let photos = [picture.0];
        let images = Images::Photos(&photos);
        let inner = explainer.submit(images, &classes, &request.outputs().map_err(thrown)?).await.map_err(thrown)?;
        let [photo] = photos;
        let crop = Crop::of(&explainer.model().preprocess, photo.width(), photo.height()).in_photo();
        let remarks = photo.remark().map(str::to_owned).into_iter().collect();
        Ok(Pending { inner, crop, remarks })
    }

    /// Draws the latest picture's overlays in another style: the RGBA bytes of all of them.
    pub async fn redraw(&mut self, style: String) -> Result<Vec<u8>, JsValue> {
        let style = parse::<request::Style>(&style).and_then(|style| style.style()).map_err(thrown)?;
        let (overlays, _) = self.explainer()?.redraw(style).await.map_err(thrown)?;
        Ok(overlays.into_iter().flatten().flat_map(|overlay| overlay.rgba).collect())
    }

    /// Fails if the device is lost.
    pub fn check(&self) -> Result<(), JsValue> {
        self.gpu().check().map_err(thrown)
    }

    /// Frees the device and all memory on it.
    pub fn close(&self) {
        self.gpu().destroy();
    }

    fn gpu(&self) -> &Arc<Gpu> {
        let Device::Gpu(gpu) = &self.device else { unreachable!("only a GPU is opened") };
        gpu
    }

    fn explainer(&mut self) -> Result<&mut Explainer, JsValue> {
        self.explainer.as_mut().ok_or_else(|| thrown(Error::Request("no model is loaded".into())))
    }
}

/// A picture on its way.
#[wasm_bindgen]
pub struct Pending {
    inner: gradcam::Pending,
    crop: [f64; 4],
    remarks: Vec<String>,
}

#[wasm_bindgen]
impl Pending {
    /// Waits for the explanation. `progress` is called with the number of finished parts and that of all parts.
    pub async fn finish(self, progress: js_sys::Function) -> Result<Answer, JsValue> {
        let Self { inner, crop, remarks } = self;
        let mut report = |done: usize, all: usize| {
            _ = progress.call2(&JsValue::NULL, &done.into(), &all.into());
        };
        let mut batch = inner.finish_with(&mut report).await.map_err(thrown)?;
        let explanation = batch.explanations.swap_remove(0);
        let maps: Vec<Value> = explanation.heatmaps.iter().map(map).collect();
        let predictions: Vec<Value> = explanation.predictions.iter().map(prediction).collect();
        let text =
            json!({"predictions": predictions, "maps": maps, "crop": crop, "remarks": remarks, "stats": batch.stats});
        Ok(Answer { text: text.to_string(), maps: explanation.heatmaps, logits: explanation.logits })
    }
}

/// An explanation. What it holds is taken once.
#[wasm_bindgen]
pub struct Answer {
    text: String,
    maps: Vec<Heatmap>,
    logits: Option<Vec<f32>>,
}

#[wasm_bindgen]
impl Answer {
    /// Everything but large arrays, as JSON.
    pub fn text(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// The overlay's RGBA bytes.
    pub fn overlay(&mut self, map: usize) -> Option<Vec<u8>> {
        self.maps.get_mut(map)?.overlay.as_mut().map(|overlay| std::mem::take(&mut overlay.rgba))
    }

    /// The map at the layer's size.
    pub fn raw(&mut self, map: usize) -> Option<Vec<f32>> {
        self.maps.get_mut(map)?.raw.take().map(|raw| raw.values)
    }

    /// The map at the input's size.
    pub fn heatmap(&mut self, map: usize) -> Option<Vec<f32>> {
        self.maps.get_mut(map)?.heatmap.take().map(|heatmap| heatmap.values)
    }

    /// All class scores.
    pub fn logits(&mut self) -> Option<Vec<f32>> {
        self.logits.take()
    }
}

fn describe(model: &Model) -> Result<Value, Error> {
    // One pixel shows nothing.
    let layers = model.layers()?.into_iter().filter(|layer| layer.height * layer.width > 1);
    let layers: Vec<Value> =
        layers.map(|l| json!({"path": l.path, "channels": l.channels, "height": l.height, "width": l.width})).collect();
    let labels: Vec<String> = (0..model.classes()).map(|class| model.label(class)).collect();
    Ok(json!({
        "name": model.name(), "architecture": model.architecture(), "description": model.description().to_string(),
        "remarks": model.remarks(), "labels": labels, "size": model.preprocess.size,
        "channels": model.preprocess.channels(), "layer": model.default_layer(), "layers": layers,
    }))
}

fn map(map: &Heatmap) -> Value {
    let size = |map: &Option<Map>| map.as_ref().map(|map| [map.height, map.width]);
    json!({
        "prediction": prediction(&map.prediction), "method": map.method.name(), "remark": map.status.remark(),
        "raw": size(&map.raw), "heatmap": size(&map.heatmap),
        "size": map.overlay.as_ref().map(|overlay| [overlay.width, overlay.height]),
    })
}

fn prediction(of: &Prediction) -> Value {
    json!({"class": of.class, "label": of.label, "logit": of.logit,
           "probability": Some(of.probability).filter(|p| !p.is_nan())})
}
