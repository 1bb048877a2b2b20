//! The Vulkan validation layer, with its synchronisation checks, reports nothing for whole explanations.
//!
//! Takes one to two minutes on two cores: it makes four whole explanations, each in a new process that compiles its
//! kernels under the layer. With a software driver all of this runs on the CPU.

use std::process::Command;

#[test]
fn validation_layer_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("vk_layer_settings.txt");
    // With "info" the layer reports that it is active; without that, silence would prove nothing.
    let text = "khronos_validation.enables = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT\n\
                khronos_validation.report_flags = error,warn,perf,info\n";
    std::fs::write(&settings, text).unwrap();
    for (layer, variant) in
        [("bn2", "textures"), ("blocks.3", "textures"), ("blocks.3", "buffers"), ("blocks.3", "buffers-shared")]
    {
        let out = Command::new(env!("CARGO_BIN_EXE_gradcam"))
            .args(["explain", "chelsea.png", "coffee.png", "--backend", "vulkan", "--batch", "2", "--top", "2"])
            .args(["--layer", layer, "--variant", variant, "--output"])
            .arg(folder.path())
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
            .env("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
            .env("VK_LAYER_SETTINGS_PATH", &settings)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{said}");
        let present = said.contains("Current Enables: VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION");
        assert!(present, "the validation layer is missing: run `make setup`\n{said}");
        let complaints = ["(ERROR", "(WARN", "(PERF", "VUID-", "SYNC-HAZARD"];
        assert!(!complaints.iter().any(|c| said.contains(c)), "{said}");
    }
}
