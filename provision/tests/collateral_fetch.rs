//! What is asked of the vendors' services and what becomes of their answers.

use crate::support::{NOW, Reply, Service, fetcher, patient};
use attestation::{CollateralBundle, UnixTime, snp::Product, tdx::Collateral};
use futures_util::future::join_all;
use provision::collateral::{Fault, FetchError, Needs, NeedsError, PckCa, Progress};
use std::{sync::LazyLock, time::Duration};
use tee_sim::{
    snp::{Amd, Issued},
    tdx::{Intel, PckSource, pem},
};

static AMD: LazyLock<Amd> = LazyLock::new(|| Amd::invent(NOW));

const FMSPC: [u8; 6] = [0xB0, 0xC0, 0x6F, 0, 0, 0];
const TCB: &str = "GET /intel/tdx/certification/v4/tcb?fmspc=B0C06F000000";
const QE: &str = "GET /intel/tdx/certification/v4/qe/identity";
const PCK_CRL: &str = "GET /intel/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
const ROOT_CRL: &str = "GET /intel/sgx/certification/v4/rootcacrl";
const CHAIN: &str = "GET /kds/vcek/v1/Milan/cert_chain";
const CRL: &str = "GET /kds/vcek/v1/Milan/crl";

/// The request for the VCEK of the chip that tee-sim reports of.
fn vcek_request(report: &[u8]) -> String {
    let hwid = hex::encode(&report[0x1A0..0x1E0]);
    let [bl, tee, .., snp, ucode] = <[u8; 8]>::try_from(&report[0x180..0x188]).unwrap();
    format!(
        "GET /kds/vcek/v1/Milan/{hwid}?blSPL={bl:02}&teeSPL={tee:02}&snpSPL={snp:02}&ucodeSPL={ucode:02}"
    )
}

fn serve_amd(service: &Service, issued: &Issued) {
    let chain = pem(&[issued.ask.clone(), issued.ark.clone()]);
    service.on(
        &vcek_request(&issued.report),
        [Reply::ok(issued.vek.clone())],
    );
    service.on(CHAIN, [Reply::ok(chain)]);
    service.on(CRL, [Reply::ok(issued.crls[0].clone())]);
}

fn of_snp(issued: &Issued) -> Needs {
    Needs::of_snp_report(&issued.report, None).unwrap()
}

fn percent_encoded(chain: &[Vec<u8>]) -> String {
    let escaped = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    pem(chain).bytes().map(escaped).collect()
}

fn signed(member: &str, document: &[u8], signature: &[u8]) -> Vec<u8> {
    let signature = format!(",\"signature\":\"{}\"}}", hex::encode(signature));
    [
        format!("{{\"{member}\":").as_bytes(),
        document,
        signature.as_bytes(),
    ]
    .concat()
}

fn serve_intel(service: &Service, collateral: &Collateral) {
    let tcb_info = signed(
        "tcbInfo",
        &collateral.tcb_info,
        &collateral.tcb_info_signature,
    );
    let qe_signature = &collateral.qe_identity_signature;
    let qe_identity = signed("enclaveIdentity", &collateral.qe_identity, qe_signature);
    let chain = |name, chain: &[Vec<u8>], body: Vec<u8>| {
        [Reply::ok(body).header(name, percent_encoded(chain))]
    };
    service.on(
        TCB,
        chain(
            "TCB-Info-Issuer-Chain",
            &collateral.tcb_info_issuer_chain,
            tcb_info,
        ),
    );
    let name = "SGX-Enclave-Identity-Issuer-Chain";
    service.on(
        QE,
        chain(name, &collateral.qe_identity_issuer_chain, qe_identity),
    );
    service.on(
        PCK_CRL,
        chain(
            "SGX-PCK-CRL-Issuer-Chain",
            &collateral.pck_crl_issuer_chain,
            collateral.pck_crl.clone(),
        ),
    );
    service.on(ROOT_CRL, [Reply::ok(hex::encode(&collateral.root_ca_crl))]);
}

fn intel() -> Collateral {
    let intel = Intel::invent(NOW);
    intel
        .with(|draft| draft.tcb_info.fmspc = hex::encode_upper(FMSPC))
        .collateral()
}

fn of_intel() -> Needs {
    Needs::of_fmspc(FMSPC, PckCa::Platform)
}

async fn refused(reply: Reply) -> (FetchError, usize) {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    service.on(CHAIN, [reply]);
    let (fetcher, _) = fetcher(&service, None, NOW);
    let error = fetcher.fetch(&of_snp(&issued)).await.unwrap_err();
    let asked = service
        .requests()
        .iter()
        .filter(|line| *line == CHAIN)
        .count();
    (error, asked)
}

#[tokio::test]
async fn amd_gives_vcek_intermediate_and_list() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    let (fetcher, seen) = fetcher(&service, None, NOW);
    let bundle = fetcher.fetch(&of_snp(&issued)).await.unwrap();
    let mut expected = CollateralBundle::default();
    expected.snp.certificates = vec![issued.vek.clone(), issued.ask.clone()];
    expected.snp.crls = issued.crls.clone();
    assert_eq!(
        bundle,
        expected.merge(CollateralBundle::default()),
        "without the root"
    );
    assert_eq!(
        service.requests(),
        [&vcek_request(&issued.report), CHAIN, CRL]
    );
    assert_eq!(seen.progress.lock().unwrap().len(), 3);
    assert_eq!(CollateralBundle::from_cbor(&bundle.to_cbor()), Ok(bundle));
}

#[tokio::test]
async fn turin_is_asked_for_by_eight_bytes_and_fmc() {
    let issued = AMD.for_product(Product::Turin, NOW).issue(NOW);
    let service = Service::start().await;
    let (fetcher, _) = fetcher(&service, None, NOW);
    assert!(fetcher.fetch(&of_snp(&issued)).await.is_err());
    let hwid = hex::encode(&issued.report[0x1A0..0x1A8]);
    let asked = service.requests().remove(0);
    let prefix = format!(
        "GET /kds/vcek/v1/Turin/{hwid}?fmcSPL={:02}&blSPL=",
        issued.report[0x180]
    );
    assert!(asked.starts_with(&prefix), "{asked}");
}

#[tokio::test]
async fn of_a_vlek_amd_has_intermediate_and_list_alone() {
    let issued = AMD.with(tee_sim::snp::Draft::become_vlek).issue(NOW);
    let service = Service::start().await;
    let chain = pem(&[issued.ask.clone(), issued.ark.clone()]);
    service.on("GET /kds/vlek/v1/Milan/cert_chain", [Reply::ok(chain)]);
    service.on(
        "GET /kds/vlek/v1/Milan/crl",
        [Reply::ok(issued.crls[0].clone())],
    );
    let (fetcher, _) = fetcher(&service, None, NOW);
    let bundle = fetcher.fetch(&of_snp(&issued)).await.unwrap();
    assert_eq!(bundle.snp.certificates, [issued.ask]);
    assert_eq!(bundle.snp.crls, issued.crls);
}

#[tokio::test]
async fn intel_gives_the_collateral_of_an_fmspc() {
    let service = Service::start().await;
    let collateral = intel();
    serve_intel(&service, &collateral);
    let (fetcher, _) = fetcher(&service, None, NOW);
    let bundle = fetcher.fetch(&of_intel()).await.unwrap();
    assert_eq!(bundle.tdx, [collateral]);
}

#[tokio::test]
async fn an_answer_without_its_issuers_chain_is_malformed() {
    let service = Service::start().await;
    let collateral = intel();
    serve_intel(&service, &collateral);
    let qe_signature = &collateral.qe_identity_signature;
    let body = signed("enclaveIdentity", &collateral.qe_identity, qe_signature);
    service.on(QE, [Reply::ok(body)]);
    let (fetcher, _) = fetcher(&service, None, NOW);
    let error = fetcher.fetch(&of_intel()).await.unwrap_err();
    assert_eq!(error.code(), "collateral.fetch.malformed");
    assert!(error.url.ends_with("/qe/identity") && !error.retryable());
}

#[tokio::test]
async fn services_that_recover_are_waited_for() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    let chain = Reply::ok(pem(&[issued.ask.clone(), issued.ark.clone()]));
    let script = [
        Reply::status(503),
        Reply::status(429).header("retry-after", "7"),
        chain.clone().cut_off(),
        chain,
    ];
    service.on(CHAIN, script);
    let (fetcher, seen) = fetcher(&service, None, NOW);
    assert!(fetcher.fetch(&of_snp(&issued)).await.is_ok());
    let expected = [250, 7000, 1000].map(Duration::from_millis);
    assert_eq!(*seen.pauses.lock().unwrap(), expected);
}

#[tokio::test]
async fn services_that_do_not_recover_are_given_up_and_may_be_asked_later() {
    for (reply, code, asked) in [
        (Reply::status(500), "collateral.fetch.unavailable", 5),
        (
            Reply::status(429).header("retry-after", "3600"),
            "collateral.fetch.unavailable",
            1,
        ),
        (Reply::ok("x").cut_off(), "collateral.fetch.unreachable", 5),
    ] {
        let (error, requests) = refused(reply).await;
        assert_eq!((error.code(), requests), (code, asked), "{error}");
        assert!(error.retryable());
    }
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    service.on(&vcek_request(&issued.report), [Reply::never()]);
    let (fetcher, seen) = patient(&service, None, NOW, Duration::from_millis(500));
    let error = fetcher.fetch(&of_snp(&issued)).await.unwrap_err();
    assert_eq!(error.fault, Fault::TimedOut);
    assert!(error.retryable());
    assert_eq!(seen.pauses.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn refusals_are_not_asked_for_again() {
    for (reply, code) in [
        (Reply::status(404), "collateral.fetch.not_found"),
        (Reply::status(400), "collateral.fetch.refused"),
        (
            Reply::status(302).header("location", "/elsewhere"),
            "collateral.fetch.refused",
        ),
        (
            Reply::ok("<html>sign in</html>"),
            "collateral.fetch.malformed",
        ),
        (Reply::ok(""), "collateral.fetch.malformed"),
        (
            Reply::ok(vec![b'A'; 40 * 1024]),
            "collateral.fetch.too_large",
        ),
    ] {
        let (error, requests) = refused(reply).await;
        assert_eq!((error.code(), requests), (code, 1), "{error}");
        assert!(!error.retryable());
    }
}

#[tokio::test]
async fn nobody_listening_is_retryable() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    let (fetcher, _) = fetcher(&service, None, NOW);
    drop(service);
    let error = fetcher.fetch(&of_snp(&issued)).await.unwrap_err();
    assert!(error.retryable(), "{error}");
}

#[tokio::test]
async fn equal_requests_at_the_same_time_go_out_once() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    let (fetcher, _) = fetcher(&service, None, NOW);
    let needs = of_snp(&issued);
    let bundles = join_all((0..8).map(|_| fetcher.fetch(&needs))).await;
    let first = bundles[0].as_ref().unwrap();
    assert!(bundles.iter().all(|bundle| bundle.as_ref() == Ok(first)));
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn answers_are_kept_until_their_window_ends() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    let folder = tempfile::tempdir().unwrap();
    let needs = of_snp(&issued);
    let (first, _) = fetcher(&service, Some(folder.path()), NOW);
    let bundle = first.fetch(&needs).await.unwrap();
    assert_eq!(service.requests().len(), 3);

    let (again, seen) = fetcher(&service, Some(folder.path()), NOW.plus(86_400));
    assert_eq!(again.fetch(&needs).await, Ok(bundle.clone()));
    assert_eq!(service.requests().len(), 3, "nothing was asked for");
    let progress = seen.progress.lock().unwrap().clone();
    assert!(
        progress
            .iter()
            .all(|one| matches!(one, Progress::Kept { .. }))
    );

    let list_expired = NOW.plus(366 * 86_400);
    let (later, _) = fetcher(&service, Some(folder.path()), list_expired);
    assert_eq!(later.fetch(&needs).await, Ok(bundle));
    assert_eq!(service.requests()[3..], [CRL], "the list alone");
}

#[tokio::test]
async fn what_cannot_be_read_in_the_cache_is_fetched_again() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    let folder = tempfile::tempdir().unwrap();
    let needs = of_snp(&issued);
    let fetch = async || {
        fetcher(&service, Some(folder.path()), NOW)
            .0
            .fetch(&needs)
            .await
    };
    let bundle = fetch().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::write(entry.unwrap().path(), b"torn").unwrap();
    }
    assert_eq!(fetch().await, Ok(bundle));
    assert_eq!(service.requests().len(), 6);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_and_no_error() {
    let issued = AMD.issue(NOW);
    let service = Service::start().await;
    serve_amd(&service, &issued);
    let file = tempfile::NamedTempFile::new().unwrap();
    let (fetcher, seen) = fetcher(&service, Some(file.path()), NOW);
    assert!(fetcher.fetch(&of_snp(&issued)).await.is_ok());
    let progress = seen.progress.lock().unwrap();
    let told = progress
        .iter()
        .filter(|one| matches!(one, Progress::NotKept { .. }));
    assert_eq!(told.count(), 3);
}

#[test]
fn evidence_that_does_not_tell_what_it_needs() {
    let code = |edit: fn(&mut tee_sim::snp::Draft), product| {
        let issued = AMD.with(edit).issue(NOW);
        Needs::of_snp_report(&issued.report, product).map_err(|error| error.code())
    };
    let of_version_2 = |draft: &mut tee_sim::snp::Draft| {
        draft.overwrite(0, &[2]);
        draft.overwrite(0x188, &[0; 3]);
        draft.overwrite(0x1F8, &[0; 16]);
    };
    assert_eq!(code(of_version_2, None), Err("collateral.needs.product"));
    assert!(code(of_version_2, Some(Product::Milan)).is_ok());
    let masked = |draft: &mut tee_sim::snp::Draft| draft.overwrite(0x1A0, &[0; 64]);
    assert_eq!(code(masked, None), Err("collateral.needs.masked_chip"));
    let reserved = |draft: &mut tee_sim::snp::Draft| draft.overwrite(0x183, &[1]);
    assert_eq!(code(reserved, None), Err("collateral.needs.tcb"));
    assert_eq!(
        Needs::of_snp_report(b"short", None).map_err(|error| error.code()),
        Err("snp.report.size")
    );
}

#[test]
fn a_quote_tells_its_platform() {
    let intel = Intel::invent(NOW);
    let quote = intel.quote(&[0; 64]);
    let needs = Needs::of_tdx_quote(&quote).unwrap();
    let tcb_info = String::from_utf8(intel.collateral().tcb_info).unwrap();
    let [need] = needs
        .tdx
        .into_iter()
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert!(
        tcb_info.contains(&hex::encode_upper(need.fmspc)),
        "{tcb_info}"
    );
    assert_eq!(need.ca, PckCa::Platform);

    let without = intel.with(|draft| draft.quote.pck = PckSource::Collateral);
    let error = Needs::of_tdx_quote(&without.quote(&[0; 64])).unwrap_err();
    assert_eq!(error.code(), "collateral.needs.platform");
    assert!(Needs::of_tdx_quote(b"quote").is_err());
}

#[test]
fn ids_of_manifests_cannot_leave_their_path() {
    assert!(Needs::of_rim_id("NV_GPU_DRIVER_GH100_550.90.07").is_ok());
    for id in ["", "..", "../ids", "a/b", "a?b", "a b", &"a".repeat(129)] {
        let error = Needs::of_rim_id(id).unwrap_err();
        assert!(matches!(error, NeedsError::RimId(_)), "{id}");
    }
}

#[test]
fn needs_are_a_union() {
    let issued = AMD.issue(NOW);
    let both = of_snp(&issued)
        .and(of_intel())
        .and(of_snp(&issued))
        .and(of_intel());
    assert_eq!((both.veks.len(), both.tdx.len()), (1, 1));
    assert!(!both.is_empty() && Needs::default().is_empty());
    assert!(UnixTime(0) < NOW);
}
