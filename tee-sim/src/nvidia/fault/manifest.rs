//! Of manifests, and of measurements against them.

use super::{FUTURE, Fault, PAST, fault};
use crate::{
    nvidia::{Draft, Golden, Part, Rim, Signer},
    x509::{Certificate, Extension, Key, Name, oids},
};

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    fault("too large", "nvidia.rim.size", |d| document(d, END, &format!("{}{END}", " ".repeat(256 * 1024)))),
    fault("a comment", "nvidia.rim.xml", |d| document(d, "<ns0:Payload ", "<!-- --><ns0:Payload ")),
    fault("a processing instruction", "nvidia.rim.xml", |d| tag(d, "<ns0:Payload ", "<?x y?><ns0:Payload ")),
    fault("a document type", "nvidia.rim.xml", |d| document(d, "<SoftwareIdentity", "<!DOCTYPE SoftwareIdentity><SoftwareIdentity")),
    fault("a CDATA section", "nvidia.rim.xml", |d| tag(d, "<ns0:Payload ", "<![CDATA[ ]]><ns0:Payload ")),
    fault("a character reference", "nvidia.rim.xml", |d| tag(d, r#"revision="r1""#, r#"revision="&#114;1""#)),
    fault("an entity", "nvidia.rim.xml", |d| tag(d, r#"revision="r1""#, r#"revision="&quot;""#)),
    fault("a carriage return", "nvidia.rim.xml", |d| document(d, "\n", "\r\n")),
    fault("an attribute twice", "nvidia.rim.xml", |d| tag(d, r#"revision="r1""#, r#"revision="r1" revision="r1""#)),
    fault("an attribute twice, by two prefixes", "nvidia.rim.xml", |d| tag(d, r#"index="1""#, r#"index="1" SHA384:Hash0="""#)),
    fault("a prefix that is not declared", "nvidia.rim.xml", |d| tag(d, "ns1:BindingSpec=", "ns3:BindingSpec=")),
    fault("a default namespace taken back", "nvidia.rim.xml", |d| tag(d, "<ns0:Payload ", r#"<ns0:Payload xmlns="" "#)),
    fault("xml:base", "nvidia.rim.xml", |d| tag(d, r#"revision="r1""#, r#"revision="r1" xml:base="x""#)),
    fault("nine levels", "nvidia.rim.xml", |d| tag(d, "<ns0:Entity ", &format!("{}{}<ns0:Entity ", "<a>".repeat(8), "</a>".repeat(8)))),
    fault("something behind the root", "nvidia.rim.xml", |d| document(d, END, &format!("{END}x"))),
    fault("version 1.1", "nvidia.rim.xml", |d| document(d, "<SoftwareIdentity", "<?xml version=\"1.1\"?><SoftwareIdentity")),
    fault("a root of another namespace", "nvidia.rim.tag", |d| tag(d, r#"xmlns="http://standards"#, r#"xmlns="https://standards"#)),
    fault("a patch", "nvidia.rim.tag", |d| tag(d, r#"patch="false""#, r#"patch="true""#)),
    fault("no name", "nvidia.rim.tag", |d| tag(d, r#" name="GH100""#, "")),
    fault("another product", "nvidia.rim.tag", |d| tag(d, r#"product="GH100""#, r#"product="GB100""#)),
    fault("an edition of nobody's", "nvidia.rim.tag", |d| first(d).edition = "DPU".to_owned()),
    fault("a version that is none", "nvidia.rim.tag", |d| first(d).version = "550".to_owned()),
    fault("two payloads", "nvidia.rim.tag", |d| tag(d, "</ns0:Payload>", "</ns0:Payload><ns0:Payload></ns0:Payload>")),
    fault("no signature", "nvidia.rim.tag", |d| { document(d, "<ds:Signature ", "<ns0:Link "); document(d, "</ds:Signature>", "</ns0:Link>"); }),
    fault("two signatures", "nvidia.rim.tag", |d| document(d, "<ds:Signature ", r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:Signature><ds:Signature "#)),
    fault("a signature that is not the root's", "nvidia.rim.tag", |d| { document(d, "<ds:Signature ", "<Object><ds:Signature "); document(d, "</ds:Signature>", "</ds:Signature></Object>"); }),
    fault("an index twice", "nvidia.rim.measurements", |d| tag(d, r#"index="1""#, r#"index="0""#)),
    fault("an index with a zero in front", "nvidia.rim.measurements", |d| tag(d, r#"index="1""#, r#"index="01""#)),
    fault("an index beyond all", "nvidia.rim.measurements", |d| tag(d, r#"index="63""#, r#"index="256""#)),
    fault("a size of another hash", "nvidia.rim.measurements", |d| tag(d, r#"size="48""#, r#"size="32""#)),
    fault("neither active nor not", "nvidia.rim.measurements", |d| tag(d, r#"active="False""#, r#"active="false""#)),
    fault("an alternative too few", "nvidia.rim.measurements", |d| tag(d, r#"alternatives="1""#, r#"alternatives="2""#)),
    fault("an alternative too many", "nvidia.rim.measurements", |d| tag(d, r#"alternatives="2""#, r#"alternatives="1""#)),
    fault("no alternatives", "nvidia.rim.measurements", |d| tag(d, r#"alternatives="1""#, r#"alternatives="0""#)),
    fault("a hash of no namespace", "nvidia.rim.measurements", |d| tag(d, "ns2:Hash0", "Hash0")),
    fault("a hash cut short", "nvidia.rim.measurements", |d| tag(d, r#"ns2:Hash0="00"#, r#"ns2:Hash0=""#)),
    fault("a hash that is no hex", "nvidia.rim.measurements", |d| tag(d, r#"ns2:Hash0="00"#, r#"ns2:Hash0="+0"#)),
    fault("signed in part", "nvidia.rim.signature.format", |d| signed_info(d, r#"URI="""#, "URI=\"#invented\"")),
    fault("two references", "nvidia.rim.signature.format", |d| signed_info(d, "</ds:Reference>", "</ds:Reference><ds:Reference></ds:Reference>")),
    fault("no canonical transform", "nvidia.rim.signature.format", |d| signed_info(d, r#"<ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:Transform>"#, "")),
    fault("an object in the signature", "nvidia.rim.signature.format", |d| document(d, "</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>")),
    fault("a signature cut short", "nvidia.rim.signature.format", |d| document(d, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA")),
    fault("no certificate", "nvidia.rim.signature.format", |d| { document(d, "<ds:X509Data>", "<ds:X509Data></ds:X509Data><ds:X509Data>"); }),
    fault("exclusive canonical form", "nvidia.rim.signature.algorithm", |d| signed_info(d, "http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/2001/10/xml-exc-c14n#")),
    fault("an XPath transform", "nvidia.rim.signature.algorithm", |d| signed_info(d, "http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116")),
    fault("SHA-256", "nvidia.rim.signature.algorithm", |d| signed_info(d, "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha256")),
    fault("HMAC", "nvidia.rim.signature.algorithm", |d| signed_info(d, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384")),
    fault("a certificate that is none", "nvidia.rim.chain.format", |d| document(d, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA")),
    fault("a value changed", "nvidia.rim.digest", |d| document(d, r#"ns2:Hash0="00"#, r#"ns2:Hash0="01"#)),
    fault("a measurement switched off", "nvidia.rim.digest", |d| document(d, r#"active="True""#, r#"active="False""#)),
    fault("a space more", "nvidia.rim.digest", |d| document(d, "\n", "\n ")),
    fault("another issuer", "nvidia.rim.chain.issuer", |d| at(d, 0).issuer = Name::nvidia("Somebody")),
    fault("a signer that is an authority", "nvidia.rim.chain.constraints", |d| *at(d, 0).extension(oids::BASIC_CONSTRAINTS) = Extension::authority(None)),
    fault("an issuer that is none", "nvidia.rim.chain.constraints", |d| *at(d, 1).extension(oids::BASIC_CONSTRAINTS) = Extension::end_entity()),
    fault("a P-256 signer", "nvidia.rim.chain.algorithm", |d| at(d, 0).public_key = Key::p256().public_key_info()),
    fault("a signer of nobody's", "nvidia.rim.chain.signature", |d| sign(d, 0, Signer::Stranger)),
    fault("a CA of the devices' root", "nvidia.rim.chain.signature", |d| sign(d, 2, Signer::DeviceRoot)),
    fault("a signer of the future", "nvidia.rim.chain.not_yet_valid", |d| at(d, 0).validity = FUTURE),
    fault("a signer of the past", "nvidia.rim.chain.expired", |d| at(d, 0).validity = PAST),
    fault("a root of the past", "nvidia.rim.chain.expired", |d| d.rim_root.validity = PAST),
    fault("signed by nobody", "nvidia.rim.signature", |d| first(d).signer = Signer::Stranger),
    fault("another text signed", "nvidia.rim.signature", |d| document(d, "<ds:SignedInfo>", "<ds:SignedInfo >\n")),
    fault("two for one driver", "nvidia.rim.doubled", |d| { let one = first(d).clone(); d.rims.push(one); }),
    fault("a measurement of both", "nvidia.measurements.conflict", |d| first(d).golden.push(Golden { index: 0, alternatives: vec![[0x40; 48]] })),
    fault("another driver measured", "nvidia.measurements.driver", |d| first(d).golden.first_mut().expect("some").alternatives = vec![[1; 48]]),
    fault("a block that the driver must measure left out", "nvidia.measurements.driver", |d| { d.report.blocks.retain(|block| block.index != 33); }),
    fault("a driver of which nothing is measured", "nvidia.measurements.driver", |d| first(d).golden.clear()),
    fault("another VBIOS measured", "nvidia.measurements.vbios", |d| d.report.blocks.first_mut().expect("some").value = vec![0x41; 48]),
    fault("bits instead of a digest", "nvidia.measurements.vbios", |d| d.report.blocks.first_mut().expect("some").value_type |= 0x80),
    fault("no manifest for the driver", "nvidia.complete", |d| { d.rims.remove(0); }),
    fault("a manifest for another driver", "nvidia.complete", |d| first(d).version = "550.90.12".to_owned()),
    fault("a manifest for another chip", "nvidia.complete", |d| first(d).name = "GH200".to_owned()),
];

const END: &str = "</SoftwareIdentity>";

fn first(draft: &mut Draft) -> &mut Rim {
    draft.rims.first_mut().expect("a driver's manifest")
}

fn tag(draft: &mut Draft, from: &str, to: &str) {
    first(draft).edit(Part::Tag, from, to);
}

fn signed_info(draft: &mut Draft, from: &str, to: &str) {
    first(draft).edit(Part::SignedInfo, from, to);
}

fn document(draft: &mut Draft, from: &str, to: &str) {
    first(draft).edit(Part::Document, from, to);
}

fn at(draft: &mut Draft, index: usize) -> &mut Certificate {
    let certificate = draft.rim_chain.get_mut(index);
    certificate.expect("a chain has three below its root")
}

fn sign(draft: &mut Draft, index: usize, signer: Signer) {
    let of = draft.rim_signers.get_mut(index);
    *of.expect("a chain has three below its root") = signer;
}
