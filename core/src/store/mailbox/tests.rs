use super::*;
use std::io::Write;

struct Post {
    folder: tempfile::TempDir,
}

impl Post {
    fn new() -> Self {
        Post { folder: tempfile::tempdir().unwrap() }
    }

    fn create(&self, first: &str) -> MailWriter {
        MailWriter::create(self.folder.path(), "x.answers", first.as_bytes()).unwrap()
    }

    fn reader(&self) -> MailReader {
        MailReader::new(self.folder.path(), "x.answers")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("x.answers")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    /// Appends bytes as a writer does whose bytes become visible one after another.
    fn show(&self, bytes: &[u8]) {
        File::options().append(true).open(self.file()).unwrap().write_all(bytes).unwrap();
    }
}

fn texts(reader: &mut MailReader) -> Vec<String> {
    reader.read().unwrap().into_iter().map(|letter| String::from_utf8(letter).unwrap()).collect()
}

fn append(writer: &mut MailWriter, letters: &[&str]) {
    writer.append(letters.iter().map(|letter| letter.as_bytes())).unwrap();
}

#[test]
fn each_letter_is_read_once_and_in_order() {
    let post = Post::new();
    let mut writer = post.create("hello");
    let mut reader = post.reader();
    assert_eq!(texts(&mut reader), ["hello"]);
    assert!(texts(&mut reader).is_empty());
    append(&mut writer, &["one", "two"]);
    append(&mut writer, &["three"]);
    assert_eq!(texts(&mut reader), ["one", "two", "three"]);
    assert_eq!(texts(&mut post.reader()), ["hello", "one", "two", "three"], "a reader that comes later reads all");
}

#[test]
fn a_file_has_its_name_when_its_first_letter_is_in_it() {
    let post = Post::new();
    assert!(listed(post.folder.path(), ".answers").unwrap().is_empty());
    let _writer = post.create("hello");
    assert_eq!(listed(post.folder.path(), ".answers").unwrap(), BTreeSet::from(["x".to_owned()]));
    assert!(listed(&post.folder.path().join("not yet"), ".answers").unwrap().is_empty());
    assert_eq!(std::fs::read_dir(post.folder.path()).unwrap().count(), 1, "no half is left");
}

#[test]
fn a_letter_whose_end_is_not_visible_yet_is_not_there_yet() {
    let post = Post::new();
    let mut writer = post.create("hello");
    append(&mut writer, &["a letter of some length"]);
    let whole = post.bytes();
    let first = HEAD.len() + 8 + 5;
    for end in first..whole.len() {
        std::fs::write(post.file(), &whole[..end]).unwrap();
        let mut reader = post.reader();
        assert_eq!(texts(&mut reader), ["hello"], "{end}");
        assert!(!reader.is_stuck(), "{end}");
        post.show(&whole[end..]);
        assert_eq!(texts(&mut reader), ["a letter of some length"], "{end}");
    }
}

#[test]
fn bytes_that_are_shown_as_zeros_are_waited_for() {
    let post = Post::new();
    let mut writer = post.create("hello");
    append(&mut writer, &["one", "two"]);
    let whole = post.bytes();
    let first = HEAD.len() + 8 + 5;
    // The length is visible before the bytes are.
    let mut shown = whole.clone();
    shown[first..].fill(0);
    std::fs::write(post.file(), &shown).unwrap();
    let mut reader = post.reader();
    assert_eq!(texts(&mut reader), ["hello"]);
    assert!(reader.is_stuck());
    std::fs::write(post.file(), &whole).unwrap();
    assert_eq!(texts(&mut reader), ["one", "two"]);
    assert!(!reader.is_stuck());
}

#[test]
fn damage_holds_up_what_follows_and_says_so() {
    let post = Post::new();
    let mut writer = post.create("hello");
    append(&mut writer, &["one", "two"]);
    let mut bytes = post.bytes();
    let at = HEAD.len() + 8 + 5 + 8;
    bytes[at] ^= 1;
    std::fs::write(post.file(), &bytes).unwrap();
    let mut reader = post.reader();
    assert_eq!(texts(&mut reader), ["hello"]);
    assert!(reader.is_stuck() && texts(&mut reader).is_empty());
}

#[test]
fn letters_cannot_change_their_places() {
    let post = Post::new();
    let mut writer = post.create("hello");
    append(&mut writer, &["one", "two"]);
    let bytes = post.bytes();
    let first = HEAD.len() + 8 + 5;
    let (one, two) = bytes[first..].split_at(8 + 3);
    std::fs::write(post.file(), [&bytes[..first], two, one].concat()).unwrap();
    let mut reader = post.reader();
    assert_eq!(texts(&mut reader), ["hello"]);
    assert!(reader.is_stuck());
}

#[test]
fn a_long_letter_is_read_whole_and_many_short_ones_in_turns() {
    let post = Post::new();
    let mut writer = post.create("hello");
    let long = "x".repeat(3 * MOST_READ);
    append(&mut writer, &[&long, "after"]);
    let mut reader = post.reader();
    let mut all = Vec::new();
    for _ in 0..5 {
        all.extend(texts(&mut reader));
    }
    assert_eq!(all.iter().map(String::len).collect::<Vec<_>>(), [5, long.len(), 5]);

    let many: Vec<String> = (0..5000).map(|number| format!("{number} {}", "y".repeat(1000))).collect();
    append(&mut writer, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let mut seen = Vec::new();
    while seen.len() < many.len() {
        let more = texts(&mut reader);
        assert!(!more.is_empty() && more.len() < many.len(), "{}", more.len());
        seen.extend(more);
    }
    assert_eq!(seen, many);
}

#[test]
fn one_process_writes_a_file() {
    let post = Post::new();
    let _writer = post.create("hello");
    let again = MailWriter::create(post.folder.path(), "x.answers", b"hello too");
    assert!(again.is_err_and(|fault| fault.what.contains("another process")));
    assert_eq!(texts(&mut post.reader()), ["hello"]);
}

#[test]
fn a_later_writer_goes_on_behind_the_last_whole_letter() {
    let post = Post::new();
    let mut writer = post.create("hello");
    append(&mut writer, &["one"]);
    drop(writer);
    post.show(&[9, 0, 0, 0, 1, 2]);
    let mut reader = post.reader();
    assert_eq!(texts(&mut reader), ["hello", "one"]);
    let mut writer = MailWriter::resume(post.folder.path(), "x.answers").unwrap();
    append(&mut writer, &["two"]);
    assert_eq!(texts(&mut reader), ["two"]);
    assert_eq!(texts(&mut post.reader()), ["hello", "one", "two"]);
}

#[test]
fn an_empty_letter_and_one_too_many_leave_nothing_behind() {
    let post = Post::new();
    let mut writer = post.create("hello");
    let before = post.bytes();
    assert!(writer.append([&b"one"[..], b""]).is_err());
    assert_eq!(post.bytes(), before);
    append(&mut writer, &["one"]);
    assert_eq!(texts(&mut post.reader()), ["hello", "one"]);
}

#[test]
fn a_file_that_is_no_mailbox_is_refused_and_one_that_is_gone_is_waited_for() {
    let post = Post::new();
    std::fs::write(post.file(), "VISAVIS mailbox 2\n and more").unwrap();
    assert!(post.reader().read().is_err());
    std::fs::remove_file(post.file()).unwrap();
    assert!(texts(&mut post.reader()).is_empty());
}

#[test]
fn letters_that_nobody_needs_are_removed_and_nothing_else() {
    let post = Post::new();
    drop(post.create("hello"));
    std::fs::write(post.folder.path().join("x.log"), "printed").unwrap();
    clear(post.folder.path(), &[".answers", ".orders"]);
    assert!(!post.file().exists() && post.folder.path().join("x.log").exists());
}
