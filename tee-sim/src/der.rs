//! The few DER encodings (X.690) that a certificate needs.

/// One element: tag, length in the shortest form, content.
#[must_use]
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().copied().skip_while(|byte| *byte == 0);
    let significant: Vec<u8> = significant.collect();
    let mut der = vec![tag];
    if content.len() < 0x80 {
        der.push(u8::try_from(content.len()).expect("less than 128"));
    } else {
        der.push(0x80 | u8::try_from(significant.len()).expect("at most 8"));
        der.extend(significant);
    }
    der.extend_from_slice(content);
    der
}

/// SEQUENCE.
#[must_use]
pub fn sequence(members: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &members.concat())
}

/// SET of one member.
#[must_use]
pub fn set(member: &[u8]) -> Vec<u8> {
    element(0x31, member)
}

/// `[number] EXPLICIT`.
#[must_use]
pub fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xA0 | number, content)
}

/// OCTET STRING.
#[must_use]
pub fn octet_string(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

/// UTF8String.
#[must_use]
pub fn utf8_string(text: &str) -> Vec<u8> {
    element(0x0C, text.as_bytes())
}

/// IA5String.
#[must_use]
pub fn ia5_string(text: &str) -> Vec<u8> {
    element(0x16, text.as_bytes())
}

/// TRUE.
#[must_use]
pub fn boolean_true() -> Vec<u8> {
    boolean(0xFF)
}

/// DER knows `00h` and `FFh` only.
#[must_use]
pub fn boolean(octet: u8) -> Vec<u8> {
    element(0x01, &[octet])
}

/// ENUMERATED.
#[must_use]
pub fn enumerated(value: u8) -> Vec<u8> {
    element(0x0A, &[value])
}

/// A bit string of whole bytes.
#[must_use]
pub fn bit_string(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content].concat())
}

/// A non-negative integer in the shortest form.
#[must_use]
pub fn integer(value: u64) -> Vec<u8> {
    unsigned_integer(&value.to_be_bytes())
}

/// The same of any length, from its big-endian bytes.
#[must_use]
pub fn unsigned_integer(bytes: &[u8]) -> Vec<u8> {
    let significant = bytes.iter().copied().skip_while(|byte| *byte == 0);
    let mut content: Vec<u8> = significant.collect();
    if content.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.insert(0, 0);
    }
    element(0x02, &content)
}

/// OBJECT IDENTIFIER; the first arc is 0, 1 or 2.
#[must_use]
pub fn object_identifier(arcs: &[u32]) -> Vec<u8> {
    let [first, second, rest @ ..] = arcs else {
        return element(0x06, &[]);
    };
    let mut content = base_128(first * 40 + second);
    content.extend(rest.iter().flat_map(|arc| base_128(*arc)));
    element(0x06, &content)
}

/// UTCTime until 2049, GeneralizedTime after it (RFC 5280 section 4.1.2.5).
#[must_use]
pub fn time(at: attestation::UnixTime) -> Vec<u8> {
    let text = at.to_rfc3339();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("20").filter(|year| *year < "5") {
        Some(short) => element(0x17, format!("{short}Z").as_bytes()),
        None => element(0x18, format!("{digits}Z").as_bytes()),
    }
}

fn base_128(value: u32) -> Vec<u8> {
    let groups =
        [28, 21, 14, 7, 0].map(|shift| u8::try_from(value >> shift & 0x7F).expect("7 bits"));
    let used: Vec<u8> = groups.into_iter().skip_while(|group| *group == 0).collect();
    let Some((last, high)) = used.split_last() else {
        return vec![0];
    };
    let high = high.iter().map(|group| group | 0x80);
    high.chain([*last]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attestation::UnixTime;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(element(4, &[7; 127])[..2], [4, 127]);
        assert_eq!(element(4, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(element(4, &[7; 256])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn integers_are_never_negative() {
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(0x73), [2, 1, 0x73]);
        assert_eq!(integer(0xD5), [2, 2, 0, 0xD5]);
        assert_eq!(integer(65_537), [2, 3, 1, 0, 1]);
    }

    #[test]
    fn object_identifier_of_amd() {
        let amd = object_identifier(&[1, 3, 6, 1, 4, 1, 3704, 1, 4]);
        assert_eq!(hex::encode(amd), "06092b060104019c780104");
    }

    #[test]
    fn times_change_their_form_in_2050() {
        let time_of = |text| time(UnixTime::from_rfc3339(text).unwrap());
        assert_eq!(time_of("2049-12-31T23:59:59Z")[..2], [0x17, 13]);
        assert_eq!(time_of("2050-01-01T00:00:00Z")[..2], [0x18, 15]);
        assert_eq!(time_of("1999-01-01T00:00:00Z")[0], 0x18);
    }
}
