//! Models.

use std::sync::Arc;

use gradcam::ModelOptions;
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{raised, spoken};
use crate::request::{ModelRequest, parse};

/// A network with its weights, its classes, and how photos become its input.
#[pyclass(frozen, module = "gradcam._engine")]
pub struct Model(pub gradcam::Model);

#[pymethods]
impl Model {
    /// Opens the bundled model by its name, or a file or folder.
    #[staticmethod]
    fn open(py: Python<'_>, name: &str, options: &str) -> PyResult<Self> {
        with(options, |options| py.detach(|| gradcam::Model::open(name, options)))
    }

    /// Reads the bytes of a file.
    #[staticmethod]
    fn parse(py: Python<'_>, name: &str, content: &[u8], options: &str) -> PyResult<Self> {
        with(options, |options| py.detach(|| gradcam::Model::parse(name, content, options)))
    }

    /// Recognises a network by its tensors.
    #[staticmethod]
    fn of_tensors(
        py: Python<'_>,
        name: &str,
        tensors: Vec<(String, PyReadonlyArrayDyn<'_, f32>)>,
        options: &str,
    ) -> PyResult<Self> {
        let tensor = |(name, values): (String, PyReadonlyArrayDyn<'_, f32>)| {
            let shape = values.shape().to_vec();
            Ok((name, shape, Arc::from(values.to_vec()?)))
        };
        let tensors = tensors.into_iter().map(tensor).collect::<PyResult<Vec<_>>>()?;
        with(options, |options| py.detach(|| gradcam::Model::from_tensors(name, tensors, options)))
    }

    /// The file, or the bundled model's name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The architecture's name.
    #[getter]
    fn architecture(&self) -> &str {
        self.0.architecture()
    }

    /// What it is, and who said so.
    #[getter]
    fn description(&self) -> String {
        self.0.description().to_string()
    }

    /// What was assumed.
    #[getter]
    fn remarks(&self) -> Vec<String> {
        self.0.remarks().iter().map(|remark| spoken(remark)).collect()
    }

    /// Path of the layer that is explained at if none is named.
    #[getter]
    fn default_layer(&self) -> &str {
        self.0.default_layer()
    }

    /// Names of the classes, or their numbers.
    #[getter]
    fn labels(&self) -> Vec<String> {
        (0..self.0.classes()).map(|class| self.0.label(class)).collect()
    }

    /// What the scores mean as probabilities: softmax, sigmoid or none.
    #[getter]
    fn scores(&self) -> String {
        format!("{:?}", self.0.scores()).to_lowercase()
    }

    /// Number of classes.
    #[getter]
    fn classes(&self) -> usize {
        self.0.classes()
    }

    /// Number of channels of the input.
    #[getter]
    fn channels(&self) -> usize {
        self.0.preprocess.channels()
    }

    /// Height and width of the input.
    #[getter]
    fn size(&self) -> [usize; 2] {
        self.0.preprocess.size
    }

    /// The layers: path, channels, height, width.
    fn layers(&self) -> PyResult<Vec<(String, usize, usize, usize)>> {
        let layers = self.0.layers().map_err(raised)?;
        Ok(layers.into_iter().map(|layer| (layer.path, layer.channels, layer.height, layer.width)).collect())
    }

    /// The trained tensors.
    fn tensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tensors = PyDict::new(py);
        for (name, shape, values) in self.0.tensors() {
            let values: Bound<'py, PyArrayDyn<f32>> = numpy::PyArray1::from_slice(py, &values).reshape(shape)?;
            tensors.set_item(name, values)?;
        }
        Ok(tensors)
    }
}

fn with(options: &str, open: impl FnOnce(&ModelOptions) -> gradcam::Result<gradcam::Model>) -> PyResult<Model> {
    let options = parse::<ModelRequest>(options).and_then(ModelRequest::options).map_err(raised)?;
    open(&options).map(Model).map_err(raised)
}
