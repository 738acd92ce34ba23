use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;
use crate::cuts::{every_cut, pieces};

/// What an encoder makes of pieces, each flushed as a streaming server flushes its events.
fn encode(coding: Coding, parts: &[&[u8]]) -> Vec<u8> {
    fn flushed<W: Write>(mut encoder: W, parts: &[&[u8]]) -> W {
        for part in parts {
            encoder.write_all(part).unwrap();
            encoder.flush().unwrap();
        }
        encoder
    }
    match coding {
        Coding::Gzip => flushed(GzEncoder::new(Vec::new(), Compression::default()), parts).finish().unwrap(),
        Coding::Deflate => flushed(ZlibEncoder::new(Vec::new(), Compression::default()), parts).finish().unwrap(),
        Coding::Brotli => {
            let mut coded = Vec::new();
            drop(flushed(brotli::CompressorWriter::new(&mut coded, 4096, 5, 18), parts));
            coded
        }
        Coding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            encoder.include_checksum(true).unwrap();
            flushed(encoder, parts).finish().unwrap()
        }
    }
}

const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

/// Decoded bytes, everything else that was told, and the map at its finest.
fn decode(coding: Coding, bounds: Bounds, pieces: &[&[u8]]) -> (Vec<u8>, Vec<String>, String) {
    let (mut data, mut told) = (Vec::new(), Vec::new());
    let mut decoder = Decoder::within(coding, bounds);
    let mut sink = |item: Item<'_>| match item {
        Item::Data { inner, bytes } => {
            assert_eq!(inner, Span::new(data.len() as u64, (data.len() + bytes.len()) as u64));
            data.extend_from_slice(bytes);
        }
        other => told.push(format!("{other:?}")),
    };
    for piece in pieces {
        decoder.push(piece, &mut sink);
    }
    decoder.finish(&mut sink);
    let map = format!("{:?}", decoder.map());
    (data, told, map)
}

/// The same whatever the cut.
fn everywhere(coding: Coding, coded: &[u8]) -> (Vec<u8>, Vec<String>) {
    let whole = decode(coding, Bounds::default(), &[coded]);
    for cut in every_cut(coded) {
        let pieced = decode(coding, Bounds::default(), &cut);
        assert!(pieced == whole, "{coding:?} in {:?}: {pieced:?}\n{whole:?}", cut.iter().map(|piece| piece.len()).collect::<Vec<_>>());
    }
    (whole.0, whole.1)
}

const EVENTS: [&[u8]; 3] = [b"data: {\"delta\":\"Hello\"}\n\n", "data: {\"delta\":\" wörld, wörld\"}\n\n".as_bytes(), b"data: [DONE]\n\n"];

#[test]
fn what_a_reference_encodes_is_decoded_at_every_cut() {
    for coding in ALL {
        for parts in [&EVENTS[..], &[], &[b""], &[&[b'a'; 3000]]] {
            let coded = encode(coding, parts);
            let (data, told) = everywhere(coding, &coded);
            assert_eq!(data, parts.concat(), "{coding:?}");
            assert_eq!(told, [format!("End {{ span: Span {{ start: 0, end: {} }} }}", coded.len())], "{coding:?}");
        }
    }
}

#[test]
fn an_event_is_there_as_soon_as_its_flush_is() {
    for coding in ALL {
        // Where the encoder stands after each flush.
        let ends: Vec<usize> = (1..=3)
            .map(|n| match coding {
                Coding::Brotli | Coding::Zstd => {
                    let mut coded = Vec::new();
                    if coding == Coding::Brotli {
                        let mut encoder = brotli::CompressorWriter::new(&mut coded, 4096, 5, 18);
                        EVENTS[..n].iter().for_each(|part| {
                            encoder.write_all(part).unwrap();
                            encoder.flush().unwrap();
                        });
                        encoder.get_ref().len()
                    } else {
                        let mut encoder = zstd::stream::write::Encoder::new(&mut coded, 3).unwrap();
                        EVENTS[..n].iter().for_each(|part| {
                            encoder.write_all(part).unwrap();
                            encoder.flush().unwrap();
                        });
                        encoder.get_ref().len()
                    }
                }
                _ => {
                    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                    EVENTS[..n].iter().for_each(|part| {
                        encoder.write_all(part).unwrap();
                        encoder.flush().unwrap();
                    });
                    encoder.get_ref().len() + if coding == Coding::Gzip { 10 } else { 2 }
                }
            })
            .collect();
        let coded = encode(coding, &EVENTS);
        for (n, end) in ends.into_iter().enumerate() {
            let (data, ..) = decode(coding, Bounds::default(), &[&coded[..end]]);
            assert_eq!(String::from_utf8_lossy(&data), String::from_utf8_lossy(&EVENTS[..=n].concat()), "{coding:?}");
        }
    }
}

#[test]
fn the_map_leads_to_bytes_that_suffice() {
    let text: Vec<u8> = (0..4000u32).flat_map(|n| format!("{} ", n.wrapping_mul(2_654_435_761)).into_bytes()).collect();
    for coding in ALL {
        let coded = encode(coding, &text.chunks(500).collect::<Vec<_>>());
        let mut decoder = Decoder::new(coding);
        decoder.push(&coded, &mut |_| {});
        let map = decoder.map();
        assert_eq!(map.len(), text.len() as u64);
        let behind = coded.len() as u64 - map.outer(Span::new(0, map.len())).last().unwrap().end;
        assert!(behind <= UNIT, "{coding:?} {behind}");
        for at in (0..text.len()).step_by(97) {
            let outer = map.outer(Span::new(at as u64, at as u64 + 1));
            let [outer] = outer[..] else { panic!("{outer:?}") };
            // Up to here the byte is known, and a unit before it was not.
            let known = |end: u64| decode(coding, Bounds::default(), &[&coded[..end as usize]]).0.len();
            assert!(known(outer.end) > at && known(outer.start) <= at, "{coding:?} {at} {outer:?}");
            let inner = map.inner(outer);
            assert!(inner.start <= at as u64 && (at as u64) < inner.end);
        }
        // At most one run for each unit, and a few for what the coding brings itself.
        assert!(map.heap_bytes() <= (coded.len() / 64 + 8) * 32, "{coding:?}");
    }
}

#[test]
fn members_and_frames_may_follow_each_other() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let one = encode(coding, &[b"one "]);
        let two = encode(coding, &[b"two"]);
        let (data, told) = everywhere(coding, &[&one[..], &two].concat());
        assert_eq!((data, told.len()), (b"one two".to_vec(), 2));
    }
    for coding in ALL {
        let coded = [encode(coding, &[b"one"]), b"\0more".to_vec()].concat();
        let (data, told) = everywhere(coding, &coded);
        assert_eq!(data, b"one");
        assert!(told.len() == 2 && told[1].starts_with("Error"), "{coding:?} {told:?}");
    }
}

#[test]
fn gzip_headers_of_every_kind() {
    use flate2::GzBuilder;
    let headers = [
        GzBuilder::new().filename("a name").comment("a comment"),
        GzBuilder::new().extra(vec![7; 300]).filename("x"),
        GzBuilder::new().extra(Vec::new()).mtime(1_700_000_000),
        GzBuilder::new().comment("ü"),
    ];
    for header in headers {
        let mut encoder = header.write(Vec::new(), Compression::fast());
        encoder.write_all(b"data").unwrap();
        assert_eq!(everywhere(Coding::Gzip, &encoder.finish().unwrap()).0, b"data");
    }
    // With the header's own checksum, which the library does not write.
    let plain = encode(Coding::Gzip, &[b"data"]);
    let mut head = plain[..10].to_vec();
    head[3] = 2;
    let crc = crc32fast::hash(&head) as u16;
    let with = |crc: u16| [&head[..], &crc.to_le_bytes(), &plain[10..]].concat();
    assert_eq!(everywhere(Coding::Gzip, &with(crc)).0, b"data");
    assert!(everywhere(Coding::Gzip, &with(!crc)).1[0].contains("gzip-header-crc"));
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let coded = encode(Coding::Gzip, &[b"some data to be checked"]);
    let broken = |at: usize| {
        let mut coded = coded.clone();
        coded[at] ^= 0x40;
        everywhere(Coding::Gzip, &coded).1
    };
    assert!(broken(0)[0].contains("gzip-header") && broken(0)[0].contains("at: 0"));
    assert!(broken(2)[0].contains("gzip-header") && broken(2)[0].contains("at: 2"));
    assert!(broken(3)[0].contains("reserved flags"));
    assert!(broken(coded.len() - 8)[0].contains("gzip-crc"));
    assert!(broken(coded.len() - 1)[0].contains("gzip-length"));
    for (coding, bytes) in
        [(Coding::Deflate, &b"\x78\x9c\xff\xff"[..]), (Coding::Brotli, b"\xff\xff\xff\xff\xff\xff"), (Coding::Zstd, b"data: x\n\n")]
    {
        let told = everywhere(coding, bytes).1;
        assert!(told.len() == 1 && told[0].starts_with("Error"), "{coding:?} {told:?}");
    }
    let mut adler = encode(Coding::Deflate, &[b"data"]);
    *adler.last_mut().unwrap() ^= 1;
    assert!(everywhere(Coding::Deflate, &adler).1[0].contains("deflate"));
    // A zstd window of 16 MiB is more than a content coding may ask for.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(b"data").unwrap();
    encoder.flush().unwrap();
    let wide = encoder.finish().unwrap();
    assert!(everywhere(Coding::Zstd, &wide).1[0].contains("Error"), "{:?}", everywhere(Coding::Zstd, &wide));
}

#[test]
fn deflate_without_its_wrapper_is_read_with_a_warning() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"raw data, raw data").unwrap();
    let (data, told) = everywhere(Coding::Deflate, &encoder.finish().unwrap());
    assert_eq!(data, b"raw data, raw data");
    assert!(told[0].contains("raw-deflate") && told[1].starts_with("End"), "{told:?}");
}

#[test]
fn an_end_in_the_middle_is_incomplete() {
    for coding in ALL {
        let coded = encode(coding, &EVENTS);
        for end in 1..coded.len() {
            let (data, told, _) = decode(coding, Bounds::default(), &[&coded[..end]]);
            assert!(EVENTS.concat().starts_with(&data));
            assert_eq!(
                told.last().map(String::as_str),
                Some(format!("Incomplete {{ span: Span {{ start: 0, end: {end} }} }}").as_str()),
                "{coding:?}"
            );
        }
        assert_eq!(decode(coding, Bounds::default(), &[]), (Vec::new(), Vec::new(), format!("{:?}", Map::default())));
    }
}

#[test]
fn bombs_are_stopped_at_the_same_byte_everywhere() {
    let zeros = vec![0; 3 << 20];
    let bounds = Bounds { floor: 10_000, ratio: 100 };
    for coding in ALL {
        let coded = encode(coding, &[&zeros]);
        let whole = decode(coding, bounds, &[&coded]);
        assert!(whole.1.last().unwrap().contains("bomb") && whole.0.len() < 200_000, "{coding:?} {} {:?}", whole.0.len(), whole.1);
        for sizes in [&[1][..], &[7, 64, 3], &[1000]] {
            assert!(decode(coding, bounds, &pieces(&coded, sizes)) == whole, "{coding:?} {sizes:?}");
        }
    }
}

#[test]
fn names_of_codings() {
    assert_eq!(Coding::list("gzip, BR ,identity"), Ok(vec![Coding::Gzip, Coding::Brotli]));
    assert_eq!(Coding::list(""), Ok(Vec::new()));
    assert_eq!(Coding::list("x-gzip,deflate,zstd"), Ok(vec![Coding::Gzip, Coding::Deflate, Coding::Zstd]));
    assert_eq!(Coding::list("gzip, compress"), Err("compress".into()));
}

proptest! {
    #[test]
    fn nothing_depends_on_the_cuts(
        data in prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..400),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        sizes in prop::collection::vec(1usize..90, 1..5),
        coding in prop::sample::select(&ALL[..]),
    ) {
        let mut coded = encode(coding, &data.chunks(100).collect::<Vec<_>>());
        if let Some((at, byte)) = damage && !coded.is_empty() {
            let at = at.index(coded.len());
            coded[at] = byte;
        }
        let whole = decode(coding, Bounds::default(), &[&coded]);
        for sizes in [&sizes[..], &[1]] {
            let pieced = decode(coding, Bounds::default(), &pieces(&coded, sizes));
            prop_assert_eq!(&pieced.1, &whole.1);
            prop_assert_eq!(&pieced.2, &whole.2);
            prop_assert_eq!(&pieced.0, &whole.0);
        }
    }

    #[test]
    fn anything_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), coding in prop::sample::select(&ALL[..])) {
        let whole = decode(coding, Bounds::default(), &[&bytes]);
        prop_assert_eq!(decode(coding, Bounds::default(), &pieces(&bytes, &[1])), whole);
    }
}
