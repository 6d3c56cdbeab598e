use super::{
    frame::PREFIX,
    reader::{here, opened, parse},
    *,
};
use crate::domain::{
    Digest, Key,
    event::{EventKind, Writer},
    metric::{Chunk, MetricPoint},
};
use std::fs;

fn event(clock: u64) -> Record {
    Record::Event(Event { clock, at: 1, what: EventKind::Begun { key: Key(Digest::of(b"k")), attempt: 1 } })
}

fn clocks(reading: &JournalPart) -> Vec<u64> {
    let clock = |kept: &StoredRecord| match &kept.record {
        Record::Event(event) => event.clock,
        _ => 0,
    };
    reading.records.iter().map(clock).collect()
}

/// A journal of five records whose writer is gone.
fn five(folder: &Path) -> (PathBuf, Vec<u8>, Vec<u64>) {
    let mut journal = Journal::start(folder, 1).unwrap();
    let mut offsets: Vec<u64> = (10..14).flat_map(|clock| journal.append(&[event(clock)]).unwrap()).collect();
    let chunk = Chunk {
        key: Key(Digest::of(b"k")),
        attempt: 1,
        series: "loss".into(),
        points: vec![MetricPoint { step: 1, at: 2, value: 3.0 }],
    };
    offsets.extend(journal.append(&[Record::Metrics(chunk), event(14)]).unwrap());
    let path = journal.path.clone();
    drop(journal);
    (path.clone(), fs::read(&path).unwrap(), offsets)
}

#[test]
fn what_was_acknowledged_is_read_back_at_its_offset() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, offsets) = five(folder.path());
    let reading = read(&path, &Mark::default()).unwrap();
    assert_eq!(clocks(&reading), [10, 11, 12, 13, 0, 14]);
    assert_eq!(reading.records.iter().map(|kept| kept.offset).collect::<Vec<_>>(), offsets);
    assert!(reading.closed && reading.damage.is_empty() && reading.mark.offset == whole.len() as u64);
    // Read on from anywhere, the rest is the same.
    for offset in [offsets[1], offsets[4]] {
        let before = parse(&whole[..offset as usize], &Mark::default(), offset as usize);
        assert_eq!(read(&path, &before.mark).unwrap().records.len() + before.records.len(), 6);
    }
}

#[test]
fn a_torn_tail_is_not_yet_while_the_writer_lives_and_damage_once_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, offsets) = five(folder.path());
    for cut in offsets[5] as usize + 1..whole.len() {
        let alive = parse(&whole[..cut], &Mark::default(), 0);
        assert_eq!((alive.records.len(), alive.damage.len(), alive.mark.offset), (5, 0, offsets[5]));
        fs::write(&path, &whole[..cut]).unwrap();
        let dead = read(&path, &Mark::default()).unwrap();
        assert_eq!((dead.records.len(), dead.mark.offset), (5, cut as u64));
        assert_eq!(dead.damage, [Damage { offset: offsets[5], bytes: cut as u64 - offsets[5] }]);
    }
}

#[test]
fn any_flipped_byte_costs_one_record_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, offsets) = five(folder.path());
    for flip in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[flip] ^= 0x41;
        fs::write(&path, &bytes).unwrap();
        let reading = read(&path, &Mark::default()).unwrap();
        assert_eq!(reading.damage.len(), 1, "flipped byte {flip}");
        let place = offsets.iter().rposition(|&offset| offset <= flip as u64);
        let lost = offsets.iter().filter(|offset| reading.records.iter().all(|kept| kept.offset != **offset)).count();
        // A flip in the head loses nothing; one in a stated chain makes the record after it follow on nothing known.
        assert_eq!(lost, usize::from(place.is_some()), "flipped byte {flip}");
    }
}

#[test]
fn a_writer_that_lives_is_known_to_live() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::start(folder.path(), 1).unwrap();
    journal.append(&[event(1)]).unwrap();
    assert!(!read(&journal.path, &Mark::default()).unwrap().closed);
    let path = journal.path.clone();
    drop(journal);
    assert!(read(&path, &Mark::default()).unwrap().closed);
}

/// The journal of five records as another machine would have written it, in a folder of this one's.
fn of_another(folder: &Path, change: impl Fn(&mut Writer)) -> (PathBuf, Vec<u8>, Vec<u64>) {
    let (path, whole, _) = five(folder);
    let (mut chain, mut bytes, mut offsets) = ([0; CHAIN], HEAD.to_vec(), vec![]);
    let mut writer = here(&path);
    change(&mut writer);
    frame(&Record::Opened(writer), &mut chain, &mut bytes);
    for kept in parse(&whole, &Mark::default(), whole.len()).records {
        offsets.push(bytes.len() as u64);
        frame(&kept.record, &mut chain, &mut bytes);
    }
    fs::write(&path, &bytes).unwrap();
    (path, bytes, offsets)
}

#[test]
fn the_first_record_says_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, offsets) = five(folder.path());
    let (writer, follows) = opened(&File::open(&path).unwrap()).unwrap();
    let writer = writer.unwrap();
    assert!(writer.journal.starts_with(path.file_stem().unwrap().to_str().unwrap()), "{}", writer.journal);
    let expected = Writer { journal: writer.journal.clone(), ..here(&path) };
    assert_eq!((writer.pid, follows, writer.clone()), (std::process::id(), true, expected));
    assert!(writer.local && writer.locks && !writer.host.is_empty() && writer.token.len() == 16);
    let payload = &whole[HEAD.len() + PREFIX..offsets[0] as usize];
    let json: serde_json::Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(json["opened"]["pid"], std::process::id());
    // A journal of before: no such record, and everything is read.
    let mut old = HEAD.to_vec();
    let mut chain = [0; CHAIN];
    (20..23).for_each(|clock| _ = frame(&event(clock), &mut chain, &mut old));
    fs::write(&path, &old).unwrap();
    let reading = read(&path, &Mark::default()).unwrap();
    assert_eq!((clocks(&reading), reading.closed), (vec![20, 21, 22], true));
}

#[test]
fn a_torn_tail_of_another_machine_is_not_yet_until_its_writer_is_surely_gone() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = |writer: &mut Writer| {
        writer.local = false;
        for of in [&mut writer.host, &mut writer.boot, &mut writer.machine] {
            *of = "another".into();
        }
    };
    let (path, whole, offsets) = of_another(folder.path(), elsewhere);
    for cut in [offsets[5] + 1, offsets[5] + 20, whole.len() as u64 - 1] {
        fs::write(&path, &whole[..cut as usize]).unwrap();
        let early = read(&path, &Mark::default()).unwrap();
        assert_eq!((early.records.len(), early.damage.len(), early.closed), (5, 0, false), "cut at {cut}");
        assert_eq!((early.mark.offset, early.pending), (offsets[5], cut - offsets[5]));
        // The rest came: nothing is lost.
        fs::write(&path, &whole).unwrap();
        let rest = read(&path, &early.mark).unwrap();
        assert_eq!((clocks(&rest), rest.closed, rest.pending), (vec![14], false, 0));
        // It never came, and whoever looked knows that its writer is gone.
        fs::write(&path, &whole[..cut as usize]).unwrap();
        let late = read_after(&path, &early.mark, true).unwrap();
        assert_eq!((late.damage.len(), late.closed), (1, true));
    }
    // One that ended well has said so.
    let mut closed = whole.clone();
    let mut chain = parse(&whole, &Mark::default(), whole.len()).mark.chain;
    frame(&Record::Closed, &mut chain, &mut closed);
    fs::write(&path, &closed).unwrap();
    let reading = read(&path, &Mark::default()).unwrap();
    assert!(reading.closed && reading.damage.is_empty() && reading.records.len() == 6);
}

#[test]
fn on_a_shared_mount_of_ones_own_a_free_lock_tells_once_something_follows_the_first_record() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, offsets) = of_another(folder.path(), |writer| writer.local = false);
    let ours = Writer { local: false, ..here(&path) };
    let tells = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let (theirs, follows) = opened(&File::open(&path).unwrap()).unwrap();
        writer::sees_locks_of(&ours, &theirs.unwrap()) && follows
    };
    assert!(tells(&whole) && !tells(&whole[..offsets[0] as usize]));
    // A process of this machine that is no more is gone, whatever mount it wrote through.
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let dead = child.id();
    let (path, whole, _) = of_another(folder.path(), |writer| (writer.local, writer.device, writer.pid) = (false, 7, dead));
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    assert_eq!(read(&path, &Mark::default()).unwrap().damage.len(), 1);
}

#[test]
fn a_record_of_a_later_visavis_is_kept_and_not_understood() {
    assert_eq!(Record::of_bytes(br#"{"clock":1,"at":2,"what":{"dreamt":{}}}"#), Record::Later);
}

#[test]
fn bytes_that_are_made_to_look_like_records_cost_no_more_than_others() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, _) = five(folder.path());
    // Every four bytes of it in a row claim a record of 66 kB that is there.
    let made = [&whole[..], &[1, 1, 1, 0].repeat(1 << 20)].concat();
    fs::write(&path, &made).unwrap();
    let begun = std::time::Instant::now();
    let reading = read(&path, &Mark::default()).unwrap();
    assert_eq!((reading.records.len(), reading.damage.len()), (6, 1));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn a_record_that_no_reader_would_take_is_refused_when_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::start(folder.path(), 1).unwrap();
    let line = "x".repeat(frame::LONGEST);
    let long = Record::Event(Event { clock: 1, at: 1, what: EventKind::Logged { key: None, attempt: 0, line } });
    assert!(journal.append(&[event(1), long]).unwrap_err().what.contains("is not written"));
    journal.append(&[event(2)]).unwrap();
    assert_eq!(clocks(&read(&journal.path, &Mark::default()).unwrap()), [2]);
}

/// Everything of a journal, as who takes it in reads it; and in how many parts.
fn all(path: &Path) -> (JournalPart, usize) {
    let (mut whole, mut parts) = (JournalPart::default(), 0);
    loop {
        let part = read(path, &whole.mark).unwrap();
        assert!(!part.more || part.mark.offset > whole.mark.offset, "it goes on");
        whole.records.extend(part.records);
        whole.damage.extend(part.damage);
        (whole.mark, whole.closed, parts) = (part.mark, part.closed, parts + 1);
        if !part.more {
            return (whole, parts);
        }
    }
}

#[test]
fn damage_longer_than_what_is_read_at_a_time_is_one_and_the_records_behind_it_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole, offsets) = five(folder.path());
    let hole = 100 << 20;
    let cut = offsets[3] as usize + 11;
    {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = File::options().write(true).truncate(true).open(&path).unwrap();
        file.write_all(&whole[..cut]).unwrap();
        file.seek(SeekFrom::Start(cut as u64 + hole)).unwrap();
        file.write_all(&whole[cut..]).unwrap();
    }
    let (reading, _) = all(&path);
    // The first record behind it stands where the rest of the torn one ends.
    assert_eq!(clocks(&reading), [10, 11, 12, 0, 14]);
    assert_eq!(reading.damage, [Damage { offset: offsets[3], bytes: offsets[4] - offsets[3] + hole }]);
    assert!(reading.closed && reading.mark.offset == whole.len() as u64 + hole);
    // A hole to the end is damage to the end.
    File::options().write(true).open(&path).unwrap().set_len(offsets[3] + hole).unwrap();
    let (reading, _) = all(&path);
    assert_eq!((clocks(&reading).len(), reading.closed), (3, true));
    assert_eq!(reading.damage, [Damage { offset: offsets[3], bytes: hole }]);
}

/// A journal of so many MB with records of 100 bytes to 30 kB, and where they start.
fn large(path: &Path, megabytes: usize) -> (Vec<u8>, Vec<u64>) {
    let (mut chain, mut bytes, mut offsets) = ([0; CHAIN], HEAD.to_vec(), vec![]);
    frame(&Record::Opened(here(path)), &mut chain, &mut bytes);
    let mut clock = 0;
    while bytes.len() < megabytes << 20 {
        offsets.push(bytes.len() as u64);
        clock += 1;
        let record = if clock % 3 == 0 {
            let point = |n| MetricPoint { step: n, at: n * 7, value: (n as f64 + clock as f64).sqrt() };
            let points = (0..1 + clock % 2_000).map(point).collect();
            Record::Metrics(Chunk { key: Key(Digest::of(b"k")), attempt: 1, series: "loss".into(), points })
        } else {
            let line = "a line of a log ".repeat(clock as usize % 97);
            Record::Event(Event { clock, at: 1, what: EventKind::Logged { key: None, attempt: 0, line } })
        };
        frame(&record, &mut chain, &mut bytes);
    }
    (bytes, offsets)
}

#[test]
fn a_damaged_byte_in_a_large_journal_costs_one_record_and_the_time_grows_with_the_length() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ..) = five(folder.path());
    let megabytes = if std::env::var_os("VISAVIS_LONG").is_some() { 300 } else { 24 };
    let (mut bytes, offsets) = large(&path, megabytes);
    for damages in [0, 1, 1_000] {
        let places: Vec<usize> = (0..damages).map(|n| (2 * n + 1) * offsets.len() / (2 * damages)).collect();
        for &place in &places {
            // The length of a record, which says where the next one starts.
            bytes[offsets[place] as usize + 1] ^= 0x55;
        }
        fs::write(&path, &bytes).unwrap();
        let begun = std::time::Instant::now();
        let (reading, parts) = all(&path);
        println!("{megabytes} MB, {damages} damaged: {:.2} s, {parts} parts", begun.elapsed().as_secs_f64());
        assert_eq!(reading.damage.iter().map(|damage| damage.offset).collect::<Vec<_>>(), {
            places.iter().map(|&place| offsets[place]).collect::<Vec<_>>()
        });
        assert_eq!((reading.records.len(), reading.closed), (offsets.len() - damages, true));
        for &place in &places {
            bytes[offsets[place] as usize + 1] ^= 0x55;
        }
    }
}
