//! A strip of faces: a page of its own that anybody can open, without a script and without a request.

use base64::{Engine, engine::general_purpose::STANDARD};

/// One face of a strip.
pub struct StripFace {
    /// A JPEG of it; `None` where it may not be handed out, or cannot be read.
    pub jpeg: Option<Vec<u8>>,
    pub image: String,
    /// Below the name, a line each.
    pub lines: Vec<String>,
    /// With a frame of its own.
    pub is_marked: bool,
}

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222;background:#fff}\
h1{font-size:1.25rem;margin:0 0 .25rem}p{max-width:60rem;margin:.25rem 0 1rem}\
ol{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:12px}\
li{width:136px;padding:4px;border:2px solid transparent;border-radius:4px}li.marked{border-color:#1d6fb8}\
img,.none{display:flex;width:128px;height:128px;object-fit:contain;background:#eee;align-items:center;justify-content:center;color:#555}\
b,span{display:block;overflow-wrap:anywhere}span{color:#555;font-size:12px}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}span,.none{color:#aaa}img,.none{background:#2a2a2a}}";

/// The page. `title` and `words` stand above the faces; `mark` says in words what a frame means, where one has it.
pub fn strip(title: &str, words: &[String], mark: &str, faces: &[StripFace]) -> String {
    let text = tera::escape_html;
    let face = |(place, face): (usize, &StripFace)| {
        let name = text(&face.image);
        let picture = match &face.jpeg {
            Some(jpeg) => format!("<img alt=\"{name}\" src=\"data:image/jpeg;base64,{}\">", STANDARD.encode(jpeg)),
            None => "<div class=\"none\">not shown</div>".to_owned(),
        };
        let lines: String = face.lines.iter().map(|line| format!("<span>{}</span>", text(line))).collect();
        let class = if face.is_marked { " class=\"marked\"" } else { "" };
        format!("<li{class}>{picture}<b>{}. {name}</b>{lines}</li>\n", place + 1)
    };
    let faces_html: String = faces.iter().enumerate().map(face).collect();
    let legend = if faces.iter().any(|face| face.is_marked) { format!("<p>Framed: {}.</p>", text(mark)) } else { String::new() };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style></head>\n\
         <body><h1>{}</h1>\n{}{legend}<ol>\n{faces_html}</ol></body></html>\n",
        text(title),
        text(title),
        words.iter().map(|line| format!("<p>{}</p>\n", text(line))).collect::<String>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_holds_its_pictures_asks_for_nothing_and_escapes_names() {
        let face =
            |jpeg, is_marked| StripFace { jpeg, image: "<a&b>.jpg".to_owned(), lines: vec!["0.912".to_owned()], is_marked };
        let page = strip(
            "like <x>",
            &["by pixels".to_owned()],
            "of the same identity",
            &[face(Some(vec![1, 2]), false), face(None, true)],
        );
        assert!(
            page.contains("data:image/jpeg;base64,AQI=") && page.contains("not shown") && page.contains("<li class=\"marked\">")
        );
        assert!(page.contains("2. &lt;a&amp;b&gt;.jpg") && !page.contains("<a&b>"), "{page}");
        assert!(page.contains("Framed: of the same identity"));
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
        assert!(!strip("x", &[], "y", &[face(None, false)]).contains("Framed"));
    }
}
