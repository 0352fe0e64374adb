import FuzzSupport
import HeliographTesting

@testable import HelioHTTP

/// The block of fields: changed by itself beside a plain list, and filled by a session from what a peer has compressed.
enum HeadersTarget {
    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        switch choices.number(below: 3) {
        case 0: BlockModel.run(&choices)
        case 1: CompressedFields.run(&choices)
        default: CompressedFields.runRaw(&choices)
        }
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let fields: [(String, String)] = [("x-a", "one"), ("cookie", "a=b"), ("accept", "*/*"), ("cookie", "c=d")]
        let counted = fields.flatMap { name, value -> [UInt8] in
            let (name, value) = (Array(name.utf8), Array(value.utf8))
            return [0, UInt8(name.count)] + name + [UInt8(value.count)] + value
        }
        let block = FrameBuilder.headerBlock(
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")] + fields)
        return [
            ("model", [0] + counted + [1, 2, 3, 4, 5, 0, 6, 1, 7, 2, 9, 9, 5]),
            ("compressed", [1, 4] + counted.filter { $0 != 0 }),
            ("raw", [2, 0] + block),
            // Indexed fields, a literal that is indexed, Huffman's code, a change of the table's size.
            (
                "indexed",
                [
                    2, 0, 0x3f, 0x61, 0x82, 0x87, 0x84, 0x41, 0x8a, 0xa0, 0xe4, 0x1d, 0x13, 0x9d, 0x09, 0xb8, 0xf8,
                    0x00, 0x0f,
                ]
            ),
            (
                "huffman",
                [
                    2, 3, 0x82, 0x87, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90,
                    0xf4, 0xff,
                ]
            ),
        ]
    }
}
