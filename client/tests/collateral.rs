//! `narthex collateral`: bundles are fetched, made, shown and taken apart.

use crate::narthex::{Run, narthex, vectors};
use attestation::{CollateralBundle, UnixTime};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::LazyLock,
    thread,
};
use tee_sim::{
    snp::{Amd, Issued},
    tdx::{Intel, pem},
};
use tempfile::TempDir;

const AT: &str = "2026-06-01T00:00:00Z";
const NOW: UnixTime = UnixTime(1_780_272_000);

static AMD: LazyLock<Issued> = LazyLock::new(|| Amd::invent(NOW).issue(NOW));

/// A folder with every kind of part that an invented vendor issues, and a bundle `all` of them.
fn parts() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("report.bin", &AMD.report);
    write("vcek.der", &AMD.vek);
    write("ask.pem", pem(std::slice::from_ref(&AMD.ask)).as_bytes());
    write("milan.crl", &AMD.crls[0]);
    let intel = Intel::invent(NOW);
    write("tdx.json", intel.collateral().to_json().unwrap().as_bytes());
    write("quote.bin", &intel.quote(&[0; 64]));
    let run = import(
        folder.path(),
        "all",
        &[
            "--certificate",
            "vcek.der",
            "--certificate",
            "ask.pem",
            "--crl",
            "milan.crl",
            "--tdx-collateral",
            "tdx.json",
        ],
    );
    assert_eq!(run.status, 0, "{run:?}");
    folder
}

fn import(folder: &Path, out: &str, arguments: &[&str]) -> Run {
    narthex(
        folder,
        &[&["collateral", "import", "--out", out], arguments].concat(),
    )
}

fn bundle(folder: &Path, name: &str) -> CollateralBundle {
    CollateralBundle::from_cbor(&fs::read(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn parts_make_a_bundle_and_a_bundle_makes_parts() {
    let folder = parts();
    let all = bundle(folder.path(), "all");
    assert_eq!(
        (
            all.snp.certificates.len(),
            all.snp.crls.len(),
            all.tdx.len()
        ),
        (2, 1, 1)
    );
    let run = narthex(
        folder.path(),
        &["collateral", "export", "all", "--dir", "parts"],
    );
    assert_eq!((run.status, run.stdout.lines().count()), (0, 4), "{run:?}");
    let run = import(
        folder.path(),
        "again",
        &[
            "--certificate",
            "parts/snp-certificate-002.der",
            "--certificate",
            "parts/snp-certificate-001.der",
            "--crl",
            "parts/snp-crl-001.der",
            "--tdx-collateral",
            "parts/tdx-collateral-001.json",
        ],
    );
    assert_eq!(run.status, 0, "{run:?}");
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("again"), bytes("all"), "byte by byte");
}

#[test]
fn bundles_merge_to_their_union() {
    let folder = parts();
    let path = folder.path();
    assert_eq!(import(path, "a", &["--certificate", "vcek.der"]).status, 0);
    assert_eq!(
        import(
            path,
            "b",
            &["--certificate", "vcek.der", "--crl", "milan.crl"]
        )
        .status,
        0
    );
    assert_eq!(import(path, "ab", &["a", "b"]).status, 0);
    assert_eq!(import(path, "ba", &["b", "a"]).status, 0);
    assert_eq!(bundle(path, "ab"), bundle(path, "b"));
    assert_eq!(bundle(path, "ba"), bundle(path, "ab"));
}

#[test]
fn show_tells_windows_and_whether_they_contain_the_time() {
    let folder = parts();
    let show = |at: &str| narthex(folder.path(), &["collateral", "show", "all", "--at", at]);
    let run = show(AT);
    assert_eq!((run.status, run.last_line()), (0, "CURRENT"), "{run:?}");
    assert!(run.stdout.contains("VCEK of Milan, chip "), "{run:?}");
    assert!(
        run.stdout.contains("snp.crl") && run.stdout.contains("ARK-Milan"),
        "{run:?}"
    );
    let header = run.stdout.lines().next().unwrap();
    assert_eq!(
        header.split_whitespace().collect::<Vec<_>>(),
        ["KIND", "NAME", "FROM", "UNTIL", "STATE"]
    );

    let run = show("2028-06-01T00:00:00Z");
    assert_eq!(run.status, 10, "{run:?}");
    assert!(
        run.last_line()
            .starts_with("REJECTED  collateral.window  — retryable"),
        "{run:?}"
    );
    let list = run
        .stdout
        .lines()
        .find(|line| line.starts_with("snp.crl "))
        .unwrap();
    assert!(list.ends_with("expired"), "{list}");
    let early = show("1999-01-01T00:00:00Z");
    assert_eq!(early.status, 10);
    assert!(early.stdout.contains("not yet"));
}

#[test]
fn show_as_json() {
    let folder = parts();
    let run = narthex(
        folder.path(),
        &["collateral", "show", "all", "--at", AT, "--json"],
    );
    let document = run.json();
    assert_eq!(
        (&document["verdict"], &document["exit"]),
        (&"accepted".into(), &0.into())
    );
    let items = document["items"].as_array().unwrap();
    let kinds: Vec<_> = items
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds[..4],
        [
            "snp.certificate",
            "snp.certificate",
            "snp.crl",
            "tdx.tcb_info"
        ]
    );
    for item in items {
        assert_eq!(item["state"], "current", "{item}");
        assert!(
            item["not_before"].as_str() < item["not_after"].as_str(),
            "{item}"
        );
    }
}

#[test]
fn an_unreadable_item_is_malformed() {
    let folder = parts();
    let mut broken = bundle(folder.path(), "all");
    broken.snp.crls.push(b"no list".to_vec());
    fs::write(folder.path().join("broken"), broken.to_cbor()).unwrap();
    let run = narthex(folder.path(), &["collateral", "show", "broken", "--at", AT]);
    assert_eq!(
        (run.status, run.last_line()),
        (30, "MALFORMED  collateral.item"),
        "{run:?}"
    );
}

#[test]
fn what_is_no_bundle_and_no_part_is_refused_with_advice() {
    let folder = parts();
    let path = folder.path();
    for (arguments, status, code) in [
        (vec!["show", "vcek.der"], 30, "collateral.encoding"),
        (vec!["show", "absent"], 2, "file.read"),
        (
            vec!["import", "--out", "x", "--crl", "vcek.der"],
            30,
            "collateral.item",
        ),
        (
            vec!["import", "--out", "x", "--certificate", "milan.crl"],
            30,
            "collateral.item",
        ),
        (
            vec!["import", "--out", "x", "--rim", "vcek.der"],
            30,
            "collateral.item",
        ),
        (
            vec!["import", "--out", "x", "--ocsp", "vcek.der"],
            30,
            "collateral.item",
        ),
        (
            vec!["import", "--out", "x", "--tdx-collateral", "vcek.der"],
            30,
            "tdx.collateral.format",
        ),
        (vec!["import", "--out", "x"], 2, "collateral.empty"),
        (
            vec!["fetch", "--out", "x", "--snp-report", "vcek.der"],
            30,
            "snp.report.size",
        ),
        (
            vec!["fetch", "--out", "x", "--rim-id", "../x"],
            2,
            "collateral.needs.rim_id",
        ),
        (
            vec!["fetch", "--out", "x", "--nvidia-report", "report.bin"],
            2,
            "collateral.needs.chain",
        ),
    ] {
        let run = narthex(path, &[&["collateral"], arguments.as_slice()].concat());
        assert_eq!(run.status, status, "{arguments:?} {run:?}");
        assert!(run.stderr.starts_with(&format!("error[{code}]")), "{run:?}");
        assert!(run.stderr.contains("what to do: "), "{run:?}");
        assert!(!path.join("x").exists());
    }
}

#[test]
fn fetch_needs_to_know_for_what() {
    let folder = parts();
    let run = narthex(folder.path(), &["collateral", "fetch", "--out", "x"]);
    assert_eq!(run.status, 2, "{run:?}");
    let plain = "http://mirror.example";
    let run = narthex(
        folder.path(),
        &[
            "collateral",
            "fetch",
            "--out",
            "x",
            "--fmspc",
            "B0C06F000000",
            "--pcs-url",
            plain,
        ],
    );
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("loopback"), "{run:?}");
}

/// Answers each GET with what `reply` has for its path; 404 without. Ends with the process.
fn serve(reply: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default();
            let (status, body) = reply(path).map_or((404, Vec::new()), |body| (200, body));
            let head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream
                .write_all(&[head.as_bytes(), &body].concat())
                .unwrap();
        }
    });
    url
}

#[test]
fn fetch_asks_and_keeps_what_it_got() {
    let folder = parts();
    let url = serve(|path| match path {
        "/vcek/v1/Milan/cert_chain" => Some(pem(&[AMD.ask.clone(), AMD.ark.clone()]).into_bytes()),
        "/vcek/v1/Milan/crl" => Some(AMD.crls[0].clone()),
        path if path.contains("?blSPL=") => Some(AMD.vek.clone()),
        _ => None,
    });
    let fetch = |arguments: &[&str]| {
        let mut all = vec![
            "collateral",
            "fetch",
            "--out",
            "fetched",
            "--snp-report",
            "report.bin",
            "--kds-url",
            &url,
        ];
        all.extend(arguments);
        narthex(folder.path(), &all)
    };
    let run = fetch(&[]);
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (0, "fetched  3 items\n"),
        "{run:?}"
    );
    assert_eq!(
        run.stderr
            .matches("note: fetched   http://127.0.0.1")
            .count(),
        3,
        "{run:?}"
    );
    let expected = CollateralBundle {
        snp: bundle(folder.path(), "all").snp,
        ..CollateralBundle::default()
    };
    assert_eq!(bundle(folder.path(), "fetched"), expected);
    let run = fetch(&["--quiet"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let kept = fetch(&[]);
    assert_eq!(kept.stderr.matches("note: kept").count(), 3, "{kept:?}");
    assert!(!fetch(&["--no-cache"]).stderr.contains("kept"));
}

#[test]
fn a_refusal_is_told_as_not_retryable() {
    let folder = parts();
    let url = serve(|_| None);
    let run = narthex(
        folder.path(),
        &[
            "collateral",
            "fetch",
            "--out",
            "x",
            "--tdx-quote",
            "quote.bin",
            "--pcs-url",
            &url,
        ],
    );
    assert_eq!(run.status, 1, "{run:?}");
    assert!(
        run.stderr.contains("error[collateral.fetch.not_found]"),
        "{run:?}"
    );
    assert!(run.stderr.contains("what to do: not retryable"), "{run:?}");
}

#[test]
fn genuine_parts_are_shown_with_their_windows() {
    let Some(vectors) = vectors() else {
        println!("NARTHEX_VECTORS is not set: no genuine collateral to look at");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("genuine");
    let ocsp = "go-nvattest-tools/ocsp/test_gpu_certificate_l3_base64encoded_ocsp_response.dat";
    let run = import(
        &vectors,
        out.to_str().unwrap(),
        &[
            "--certificate",
            "sev-crate/vcek_milan.der",
            "--crl",
            "openpcc/test_amd_milan_crl.crl",
            "--tdx-collateral",
            "dcap-qvl/tdx_quote_collateral.json",
            "--rim",
            "go-nvattest-tools/rim/NV_GPU_DRIVER_GH100_550.90.07.xml",
            "--ocsp",
            ocsp,
        ],
    );
    assert_eq!(run.status, 0, "{run:?}");
    let run = narthex(
        folder.path(),
        &[
            "collateral",
            "show",
            "genuine",
            "--at",
            "2025-08-21T12:00:00Z",
        ],
    );
    let line = |kind: &str| {
        let line = run.stdout.lines().find(|line| line.starts_with(kind));
        line.unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("nvidia.ocsp"),
        "nvidia.ocsp serial 6afe7184f92232c8df7b242261776e56 2025-08-21T06:47:07Z 2025-08-22T06:47:07Z current"
    );
    assert!(
        line("nvidia.rim").starts_with("nvidia.rim GH100 driver 550.90.07 "),
        "{run:?}"
    );
    assert_eq!(
        line("tdx.tcb_info "),
        "tdx.tcb_info FMSPC B0C06F000000 2025-06-19T10:16:03Z 2025-07-19T10:16:03Z expired"
    );
    assert_eq!(run.status, 10, "{run:?}");
}
