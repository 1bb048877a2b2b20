//! `gradcam verify` finds agreement on this machine, and refuses wrong requests.
//!
//! Takes one to two minutes on two cores: it runs all built-in cases, whole networks included, in every variant, and
//! compiles the kernels of each. With a software driver all of this runs on the CPU.

#[allow(dead_code)]
#[path = "common/place.rs"]
mod place;

use place::{Place, json};
use serde_json::Value;

/// Every variant on the default adapter, the CPU reference, and the report.
#[test]
fn everything_agrees() {
    let place = Place::with(&[]);
    let rows = place.does("verify --json --report report.json");
    let rows = &json(&rows)[0];
    let rows = rows.as_array().unwrap();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    for profile in gradcam::kernels::Profile::ALL {
        assert!(rows.iter().any(|row| text(row, "variant") == profile.name), "no row of {}", profile.name);
    }
    for row in rows {
        assert_eq!(text(row, "verdict"), "agrees", "{row}");
        let networks = gradcam::kernels::Profile::ALL.iter().any(|p| p.name == row["variant"]);
        for stage in ["logits", "map", "heatmap", "overlay"] {
            assert_eq!(row["errors"][stage].is_number(), networks, "{row}");
        }
        // A profile whose macro tiles run alone only has networks itself.
        let tiled =
            rows.iter().any(|other| text(other, "variant").starts_with(&format!("{}, macro", text(row, "variant"))));
        assert_eq!(row["errors"]["ops"].as_f64().is_some_and(|error| error > 0.0), !tiled, "{row}");
        assert!(row["cases"].as_u64().unwrap() >= 3, "{row}");
    }
    let report: Value = serde_json::from_slice(&std::fs::read(place.path("report.json")).unwrap()).unwrap();
    let outcomes = report["adapters"][0]["outcomes"].as_array().unwrap();
    let cases: u64 = rows.iter().map(|row| row["cases"].as_u64().unwrap()).sum();
    assert_eq!(outcomes.len() as u64, cases);
    assert!(outcomes.iter().all(|o| o["failure"].is_null() && o["seconds"].as_f64().unwrap() > 0.0));
    assert_eq!(report["adapters"][0]["info"]["name"], rows[0]["adapter"]);

    let table = place.does("verify --device cpu");
    assert!(table.lines().nth(2).unwrap().contains("f64 loops"), "{table}");
    assert!(table.ends_with("agrees\n"), "{table}");
}

/// Cases selected by shader, and requests that make no sense.
#[test]
fn requests() {
    let place = Place::with(&[]);
    let table = place.does("verify --variant buffers --kernel gate_grad");
    assert!(table.contains("buffers") && !table.contains("textures"), "{table}");
    place.refuses(
        2,
        "verify --variant bufers => unknown variant 'bufers'|did you mean buffers
         verify --kernel gat --variant buffers => unknown shader 'gat'|did you mean gate
         verify --device cpu --variant buffers => variants are the graphics devices'
         verify --precision f16-weights => leave --precision out
         verify --all --device 0 => cannot be used with",
    );
    place.refuses(1, "verify --backend metal => no graphics adapter found");
}
