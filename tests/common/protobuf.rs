//! Protobuf's messages: fields written, and replaced.

pub fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![];
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A field of bytes.
pub fn field(number: usize, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len()), bytes.to_vec()].concat()
}

pub fn read_varint(bytes: &mut &[u8]) -> usize {
    let mut value = 0;
    for place in 0.. {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= usize::from(byte & 127) << (7 * place);
        if byte < 128 {
            break;
        }
    }
    value
}

/// Other bytes for a field of this number.
pub type Change<'a> = dyn Fn(usize, &[u8]) -> Option<Vec<u8>> + 'a;

/// A message whose fields of bytes are replaced where `change` gives others.
pub fn changed(mut message: &[u8], change: &Change) -> Vec<u8> {
    let mut result = vec![];
    while !message.is_empty() {
        let start = message;
        let key = read_varint(&mut message);
        let length = match key & 7 {
            0 => {
                read_varint(&mut message);
                0
            }
            1 => 8,
            5 => 4,
            _ => read_varint(&mut message),
        };
        let content = &message[..length];
        message = &message[length..];
        let new = (key & 7 == 2).then(|| change(key >> 3, content)).flatten();
        result.extend(new.map_or_else(|| start[..start.len() - message.len()].to_vec(), |new| field(key >> 3, &new)));
    }
    result
}
