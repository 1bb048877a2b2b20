//! Explanations as tuples of numbers and arrays. `gradcam/explanation.py` gives them names.

use gradcam::{Explanation, Heatmap, Map, Prediction};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;

/// Class, label, logit, probability.
type Named = (usize, String, f32, f32);
/// Prediction, method, status, completeness, similarity, raw map, heat map.
type MapOf<'py> = (
    Named,
    &'static str,
    String,
    Option<f32>,
    Option<f32>,
    Option<Bound<'py, PyArray2<f32>>>,
    Option<Bound<'py, PyArray2<f32>>>,
);
/// Predictions, maps, logits, embedding.
pub type Explained<'py> =
    (Vec<Named>, Vec<MapOf<'py>>, Option<Bound<'py, PyArray1<f32>>>, Option<Bound<'py, PyArray1<f32>>>);

/// Hands an explanation over. Its arrays are not copied.
pub fn explained(py: Python<'_>, explanation: Explanation) -> PyResult<Explained<'_>> {
    let Explanation { predictions, heatmaps, logits, embedding } = explanation;
    let maps = heatmaps.into_iter().map(|heatmap| map_of(py, heatmap)).collect::<PyResult<_>>()?;
    let array = |values: Option<Vec<f32>>| values.map(|values| PyArray1::from_vec(py, values));
    Ok((predictions.into_iter().map(named).collect(), maps, array(logits), array(embedding)))
}

fn named(prediction: Prediction) -> Named {
    let Prediction { class, label, logit, probability } = prediction;
    (class, label, logit, probability)
}

fn map_of(py: Python<'_>, heatmap: Heatmap) -> PyResult<MapOf<'_>> {
    let Heatmap { prediction, method, status, completeness, similarity, raw, heatmap, overlay: _ } = heatmap;
    let array = |map: Option<Map>| {
        map.map(|Map { height, width, values }| PyArray1::from_vec(py, values).reshape([height, width])).transpose()
    };
    let status = serde_json::to_value(status).ok().and_then(|status| status.as_str().map(str::to_owned));
    Ok((
        named(prediction),
        method.name(),
        status.unwrap_or_default(),
        completeness,
        similarity,
        array(raw)?,
        array(heatmap)?,
    ))
}
