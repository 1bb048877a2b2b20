//! Builds, serves and tests the page.
//!
//! * `bind WASM FOLDER` makes the module's JavaScript.
//! * `serve FOLDER` serves a folder on this machine.
//! * `test BROWSER PAGE FOLDER…` opens a page of the folders in `chromium` or `firefox`, and ends when the page has said whether it
//!   is well. `GRADCAM_SHOTS` names a folder for its pictures of itself. With `GRADCAM_WITHOUT_WEBGPU` the browser has none.

mod browser;
mod processes;
mod server;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use browser::Browser;
use server::Server;

/// What may go wrong: a line for people.
type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// How long a page may be silent.
const PATIENCE: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["bind", wasm, folder] => bind(wasm, folder),
        ["serve", folder] => serve(folder),
        ["test", browser, page, ref folders @ ..] if !folders.is_empty() => test(browser, page, folders),
        _ => Err("usage: bind WASM FOLDER | serve FOLDER | test chromium|firefox PAGE FOLDER...".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bind(wasm: &str, folder: &str) -> Result<()> {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(wasm).web(true)?.typescript(false).remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder)?;
    Ok(())
}

fn serve(folder: &str) -> Result<()> {
    let (said, _heard) = mpsc::channel();
    let server = Server::new("127.0.0.1:8000", &[folder], said)?;
    println!("http://{}/", server.address);
    server.serve(|_| Ok(vec![]));
    Ok(())
}

/// Opens a page, and prints what it says.
fn test(browser: &str, page: &str, folders: &[&str]) -> Result<()> {
    let (said, heard) = mpsc::channel();
    let server = Server::new("127.0.0.1:0", folders, said)?;
    let address = format!("http://{}/{page}", server.address);
    let browser = Arc::new(Browser::open(browser, &address)?);
    let asked = browser.clone();
    std::thread::spawn(move || server.serve(move |thing| answer(&asked, thing)));
    let verdict = listen(&heard, page);
    browser.end();
    verdict
}

/// Prints what a page says until it is done.
fn listen(heard: &mpsc::Receiver<String>, page: &str) -> Result<()> {
    loop {
        let line = heard.recv_timeout(PATIENCE).map_err(|_| format!("{page}: silent for {} s", PATIENCE.as_secs()))?;
        match line.split_once(' ') {
            Some(("log", text)) => println!("{text}"),
            Some(("done", "")) => return Ok(()),
            Some(("done", failures)) => return Err(format!("{page}: {failures}").into()),
            _ => {}
        }
    }
}

/// What a page may ask of its browser: how many mebibytes it takes, to lose its graphics device, or a picture of this name.
fn answer(browser: &Browser, thing: &str) -> Result<Vec<u8>> {
    match thing {
        "memory" => Ok(browser.memory()?.to_string().into_bytes()),
        "loss" => Ok(browser.lose_device()?.to_string().into_bytes()),
        name => {
            if let Some(folder) = std::env::var_os("GRADCAM_SHOTS") {
                std::fs::create_dir_all(&folder)?;
                std::fs::write(Path::new(&folder).join(name), browser.shoot(name)?)?;
            }
            Ok(vec![])
        }
    }
}
