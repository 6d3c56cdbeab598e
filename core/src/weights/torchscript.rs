//! TorchScript modules, without libtorch: what their `forward` gives and which methods they have, read from their code. Nothing of it
//! is run here.

use super::containers::torch_zip;
use crate::domain::{
    Fault, Result,
    file_kind::{ExpectedFile, FileKind},
    spelling::suggestion,
    text::{printable, shorten},
};
use crate::pickle::source::Source;
use std::path::Path;

/// A module that was looked through.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptModule {
    /// The class of the root, such as `__torch__.Net`.
    pub class: String,
    /// The type that `forward` gives, as TorchScript writes it: `Tensor`, `Tuple[Tensor, Tensor]`, `Dict[str, Tensor]`.
    pub gives: String,
    /// Methods of the root beside `forward`.
    pub methods: Vec<String>,
    /// Bytes of its tensors.
    pub bytes: u64,
}

/// Bytes of code that a module may have.
const MOST_CODE: u64 = 1 << 26;

/// Looks through a module's file.
///
/// # Errors
/// A file that cannot be read, that is no TorchScript module or a damaged one.
pub fn read(path: &Path) -> Result<ScriptModule> {
    look_through(&Source::open(path)?).map_err(|fault| fault.in_file(path))
}

/// The same, of a module whose bytes are in memory; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn of_bytes(bytes: &[u8], path: &Path) -> Result<ScriptModule> {
    look_through(&Source::Bytes(bytes)).map_err(|fault| fault.in_file(path))
}

/// Is the file a TorchScript module? `false` for one that cannot be read.
pub fn is_module(path: &Path) -> bool {
    Source::open(path).is_ok_and(|source| {
        let is_archive = source.head(1024).is_ok_and(|head| matches!(FileKind::of(&head), FileKind::TorchZip | FileKind::Zip));
        is_archive && matches!(torch_zip::script(&source, MOST_CODE), Ok(Some(_)))
    })
}

fn look_through(source: &Source) -> Result<ScriptModule> {
    let kind = FileKind::of(&source.head(1024)?);
    let other = |words: &str| {
        let advice = kind.advice(ExpectedFile::Weights);
        Fault::asked(format!("not a TorchScript module: the file is {words}")).next(advice)
    };
    if !matches!(kind, FileKind::TorchZip | FileKind::Zip) {
        return Err(other(kind.words()));
    }
    let parts = torch_zip::script(source, MOST_CODE)?.ok_or_else(|| other("a file of torch.save without code"))?;
    let class = root_class(&parts.root)
        .ok_or_else(|| Fault::asked("the TorchScript module does not name its class").next("copy or download it again"))?;
    let (module, name) = class.rsplit_once('.').unwrap_or(("", &class));
    let file = format!("code/{}.py", module.replace('.', "/"));
    let code = parts
        .code
        .iter()
        .find(|(name, _)| *name == file)
        .map_or(String::new(), |(_, text)| String::from_utf8_lossy(text).into_owned());
    let methods = methods_of(&code, name);
    let Some((_, gives)) = methods.iter().find(|(name, _)| name == "forward").cloned() else {
        return Err(Fault::asked("the TorchScript module has no method `forward`"));
    };
    let methods = methods.into_iter().map(|(name, _)| name).filter(|name| name != "forward").collect();
    Ok(ScriptModule { class, gives, methods, bytes: parts.bytes })
}

/// The first class that a pickle names: opcode `c`, two lines.
fn root_class(pickle: &[u8]) -> Option<String> {
    let rest = pickle.strip_prefix(b"\x80\x02c")?;
    let mut lines = rest.split(|byte| *byte == b'\n').map(|line| std::str::from_utf8(line).ok());
    let (module, name) = (lines.next()??, lines.next()??);
    module.starts_with("__torch__").then(|| format!("{module}.{name}"))
}

/// The methods of a class with what each gives.
fn methods_of(code: &str, class: &str) -> Vec<(String, String)> {
    let is_head = |line: &&str| {
        line.strip_prefix("class ").and_then(|rest| rest.strip_prefix(class)).is_some_and(|rest| rest.starts_with('('))
    };
    let body: Vec<&str> = code
        .lines()
        .skip_while(|line| !is_head(line))
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .collect();
    let mut methods = Vec::new();
    for (place, line) in body.iter().enumerate() {
        let Some((name, _)) = line.trim_start().strip_prefix("def ").and_then(|rest| rest.split_once('(')) else { continue };
        // The arguments may go over several lines.
        let head = body[place..].iter().take(64).map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let gives = head.split_once(") -> ").and_then(|(_, rest)| rest.split_once(':')).map_or("", |(gives, _)| gives);
        methods.push((name.to_owned(), gives.to_owned()));
    }
    methods
}

impl ScriptModule {
    /// Names of layers with what is read for each, as far as the code tells: outputs by place, methods by name. What a dict holds is
    /// known only when the module runs.
    pub fn layers(&self) -> Vec<(String, String)> {
        let methods = self.methods.iter().map(|method| (method.clone(), method.clone()));
        let outputs = match self.gives.as_str() {
            "Tensor" => 1,
            gives if gives.starts_with("Tuple[") => gives.matches("Tensor").count(),
            _ => 0,
        };
        let name = |place: usize| if place + 1 == outputs { "embedding".to_owned() } else { format!("output{place}") };
        methods.chain((0..outputs).map(|place| (name(place), place.to_string()))).collect()
    }

    /// Holds what is to be read against the code; what is worth saying.
    ///
    /// # Errors
    /// An output or a method that is not there.
    pub fn check<'a>(&self, reads: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<String>> {
        let outputs = match self.gives.as_str() {
            "Tensor" => Some(1),
            gives if gives.starts_with("Tuple[") => Some(gives.matches("Tensor").count()),
            _ => None,
        };
        let is_dict = self.gives.starts_with("Dict[str,");
        for (layer, read) in reads {
            let place = read.parse::<usize>().ok();
            let is_there = match (place, outputs) {
                (Some(place), Some(outputs)) => place < outputs,
                // Keys of a dict and places in a list are known only when it runs.
                (Some(_), None) => true,
                (None, _) => is_dict || self.methods.iter().any(|method| method == read),
            };
            if !is_there {
                let (layer, read) = (printable(&shorten(layer, 80)), printable(&shorten(read, 80)));
                let known: Vec<&str> = self.methods.iter().map(String::as_str).collect();
                let what = match place {
                    Some(_) => {
                        format!("its `forward` gives {}, which has no output {read}", printable(&shorten(&self.gives, 80)))
                    }
                    None => {
                        format!("it has no method `{read}`, and its `forward` gives {}", printable(&shorten(&self.gives, 80)))
                    }
                };
                return Err(Fault::asked(format!("layer `{layer}`: {what}"))
                    .next(format!("outputs are counted from 0; methods: {}", suggestion(&read, &known))));
            }
        }
        Ok(vec!["a TorchScript module is a program: it is run, by libtorch, with your rights".to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
    }

    #[test]
    fn a_module_says_what_it_gives() {
        let module = read(&fixture("torchscript.pt")).unwrap();
        assert_eq!((module.class.as_str(), module.gives.as_str()), ("__torch__.Small", "Tensor"));
        assert_eq!(module.layers(), [("embedding".to_owned(), "0".to_owned())]);
        assert!(module.check([("embedding", "0")]).is_ok() && is_module(&fixture("torchscript.pt")));
        let told = module.check([("layer1", "1")]).unwrap_err().what;
        assert!(told.contains("gives Tensor, which has no output 1"), "{told}");
        assert!(module.check([("layer1", "tap")]).unwrap_err().what.contains("no method `tap`"));
    }

    #[test]
    fn methods_are_those_of_the_class_itself() {
        let code = "class Other(Module):\n  def no(self: X) -> Tensor:\n    return 1\nclass Net(Module):\n  training : bool\n  def \
                    forward(self: Net,\n    x: Tensor) -> Tuple[Tensor, Tensor]:\n    return x\n  def tap_layer2(self: Net,\n    x: \
                    Tensor) -> Tensor:\n    return x\nclass Last(Module):\n  def nor(self) -> Tensor:\n    return 1\n";
        let methods = methods_of(code, "Net");
        let named = |name: &str, gives: &str| (name.to_owned(), gives.to_owned());
        assert_eq!(methods, [named("forward", "Tuple[Tensor, Tensor]"), named("tap_layer2", "Tensor")]);
        let module =
            ScriptModule { class: "Net".into(), gives: methods[0].1.clone(), methods: vec!["tap_layer2".into()], bytes: 0 };
        let layers: Vec<(String, String)> = module.layers();
        assert_eq!(layers, [named("tap_layer2", "tap_layer2"), named("output0", "0"), named("embedding", "1")]);
        assert!(module.check([("a", "tap_layer2"), ("b", "1")]).is_ok());
        assert!(module.check([("a", "tap_layer3")]).unwrap_err().next.unwrap().contains("did you mean `tap_layer2`?"));
    }

    #[test]
    fn a_key_of_a_dict_may_be_a_number() {
        let gives = |gives: &str| ScriptModule { class: "Net".into(), gives: gives.into(), methods: vec![], bytes: 0 };
        assert!(gives("Dict[str, Tensor]").check([("embedding", "0"), ("layer1", "layer1")]).is_ok());
        assert!(gives("List[Tensor]").check([("embedding", "0")]).is_ok());
        assert!(gives("List[Tensor]").check([("embedding", "layer1")]).is_err());
    }

    #[test]
    fn other_files_and_damaged_ones_are_no_modules() {
        for name in ["zip.pth", "backbone.safetensors", "make.py", "arrays.npz", "os_system.pkl"] {
            assert!(!is_module(&fixture(name)), "{name}");
            assert!(read(&fixture(name)).unwrap_err().what.contains("not a TorchScript module"), "{name}");
        }
        let bytes = std::fs::read(fixture("torchscript.pt")).unwrap();
        for len in (0..bytes.len()).step_by(13) {
            assert!(look_through(&Source::Bytes(&bytes[..len])).is_err(), "{len}");
        }
        for place in (0..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x55;
            look_through(&Source::Bytes(&damaged)).ok();
        }
    }
}
