//! A browser without a window, with a fresh profile, and its pictures through its own protocol for debuggers.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tungstenite::Message;

use crate::{Result, processes};

/// How long a browser may take to open its protocol.
const START: Duration = Duration::from_secs(60);

/// Firefox on any driver, and without its own errands.
const PREFERENCES: &str = r#"
user_pref("gfx.webgpu.ignore-blocklist", true);
user_pref("dom.webgpu.allow-fallback-adapter", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("remote.prefs.recommended", true);
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
"#;

/// A running browser.
pub struct Browser {
    child: Mutex<Child>,
    is_chromium: bool,
    /// The address of its protocol, once it said so.
    protocol: Mutex<Protocol>,
    profile: PathBuf,
}

enum Protocol {
    Awaited(Receiver<String>),
    At(String),
}

impl Browser {
    /// Opens an address.
    pub fn open(name: &str, address: &str) -> Result<Self> {
        let profile = tempfile::tempdir()?.keep();
        let is_chromium = name == "chromium";
        let mut command = if is_chromium { chromium(&profile) } else { firefox(&profile)? };
        command.args(std::env::var("GRADCAM_BROWSER_FLAGS").unwrap_or_default().split_whitespace());
        command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // A group of its own, to be ended as one.
        command.process_group(0);
        let mut child = command.spawn().map_err(|e| format!("{name} cannot be started: {e}"))?;
        let (found, protocol) = channel();
        let lines = BufReader::new(child.stderr.take().ok_or("no output")?).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, at)) = line.split_once(" listening on ").filter(|(_, at)| at.starts_with("ws://")) {
                    _ = found.send(at.trim().to_owned());
                }
            }
        });
        let protocol = Mutex::new(Protocol::Awaited(protocol));
        Ok(Self { child: Mutex::new(child), is_chromium, protocol, profile })
    }

    /// The mebibytes that it holds with all its processes.
    pub fn memory(&self) -> Result<u64> {
        processes::mebibytes(self.child.lock().map_err(|e| e.to_string())?.id())
    }

    /// Ends its process for graphics, if that can be asked for. The page sees a lost device.
    pub fn lose_device(&self) -> Result<bool> {
        if self.is_chromium {
            // There may be no answer.
            Conversation::begin(&self.protocol()?)?.tell("Browser.crashGpuProcess", json!({}))?;
        }
        Ok(self.is_chromium)
    }

    /// A PNG of its page. The name may ask for a width and for the dark colours: `page-360-dark.png`.
    pub fn shoot(&self, name: &str) -> Result<Vec<u8>> {
        let width = name.split(['-', '.']).find_map(|part| part.parse::<u32>().ok()).unwrap_or(1280);
        let height = if width < 500 { 1600 } else { 1000 };
        let at = self.protocol()?;
        let picture = if self.is_chromium {
            let dark = json!([{"name": "prefers-color-scheme", "value": if name.contains("dark") { "dark" } else { "light" }}]);
            let mut page = Conversation::begin(&page_of(&at)?)?;
            let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
            page.ask("Emulation.setEmulatedMedia", json!({"features": dark}))?;
            page.ask("Emulation.setDeviceMetricsOverride", size)?;
            std::thread::sleep(Duration::from_millis(400));
            page.ask("Page.captureScreenshot", json!({"format": "png"}))?
        } else {
            let mut session = Conversation::begin(&format!("{at}/session"))?;
            session.ask("session.new", json!({"capabilities": {}}))?;
            let tree = session.ask("browsingContext.getTree", json!({}))?;
            let context = tree["contexts"][0]["context"].clone();
            let viewport = json!({"width": width, "height": height});
            session.ask("browsingContext.setViewport", json!({"context": context, "viewport": viewport}))?;
            std::thread::sleep(Duration::from_millis(400));
            let picture = session.ask("browsingContext.captureScreenshot", json!({"context": context}))?;
            session.ask("session.end", json!({}))?;
            picture
        };
        Ok(BASE64.decode(picture["data"].as_str().ok_or("no picture")?.as_bytes())?)
    }

    /// Ends it with all its processes. Chromium without a window does not end when it is asked to.
    pub fn end(&self) {
        let Ok(mut child) = self.child.lock() else { return };
        _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
        _ = child.wait();
        // Its last processes may still write there.
        std::thread::sleep(Duration::from_millis(100));
        _ = std::fs::remove_dir_all(&self.profile);
    }

    fn protocol(&self) -> Result<String> {
        let mut protocol = self.protocol.lock().map_err(|e| e.to_string())?;
        if let Protocol::Awaited(awaited) = &*protocol {
            let at = awaited.recv_timeout(START).map_err(|_| "the browser opened no protocol")?;
            *protocol = Protocol::At(at);
        }
        let Protocol::At(at) = &*protocol else { unreachable!("it was awaited") };
        Ok(at.clone())
    }
}

/// Whether the browser may have WebGPU.
fn has_webgpu() -> bool {
    std::env::var_os("GRADCAM_WITHOUT_WEBGPU").is_none()
}

fn chromium(profile: &Path) -> Command {
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--no-first-run", "--disable-sync"]);
    command.args(has_webgpu().then_some("--enable-unsafe-webgpu"));
    command.args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]);
    command.args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--window-size=1280,1000"]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command
}

fn firefox(profile: &Path) -> Result<Command> {
    let webgpu = format!("user_pref(\"dom.webgpu.enabled\", {});\n", has_webgpu());
    std::fs::write(profile.join("user.js"), webgpu + PREFERENCES)?;
    let mut command = Command::new("firefox-esr");
    command.args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"]).arg(profile);
    command.env("HOME", profile).env("XDG_RUNTIME_DIR", profile);
    Ok(command)
}

/// The debugger's address of Chromium's page.
fn page_of(browser: &str) -> Result<String> {
    let host = browser.trim_start_matches("ws://").split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(host)?;
    std::io::Write::write_all(&mut stream, format!("GET /json/list HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no list of pages")?;
    let pages: Value = serde_json::from_str(body)?;
    let page = pages.as_array().and_then(|pages| pages.iter().find(|page| page["type"] == "page"));
    Ok(page.and_then(|page| page["webSocketDebuggerUrl"].as_str()).ok_or("no page")?.to_owned())
}

/// Questions and answers over a socket.
struct Conversation {
    socket: tungstenite::WebSocket<TcpStream>,
    asked: u64,
}

impl Conversation {
    fn begin(address: &str) -> Result<Self> {
        let host = address.trim_start_matches("ws://").split('/').next().unwrap_or_default();
        let (socket, _) = tungstenite::client(address, TcpStream::connect(host)?).map_err(|e| e.to_string())?;
        Ok(Self { socket, asked: 0 })
    }

    fn tell(&mut self, method: &str, params: Value) -> Result<()> {
        self.asked += 1;
        let question = json!({"id": self.asked, "method": method, "params": params}).to_string();
        Ok(self.socket.send(Message::text(question))?)
    }

    fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        self.tell(method, params)?;
        loop {
            let Message::Text(text) = self.socket.read()? else { continue };
            let mut answer: Value = serde_json::from_str(text.as_str())?;
            if answer["id"] == self.asked {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error} {}", answer["message"]).into()),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }
}
