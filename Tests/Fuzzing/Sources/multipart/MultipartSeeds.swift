import FuzzSupport

extension MultipartTarget {
    static var seeds: [(name: String, bytes: [UInt8])] {
        var seeds: [(name: String, bytes: [UInt8])] = []
        func add(_ name: String, _ head: [UInt8], _ text: String) { seeds.append((name, head + Array(text.utf8))) }
        for (name, text) in bodies {
            add(name, [2, 5], text)
            add("\(name)-tight", [6, 2], text)
        }
        add("mixed", [10, 3], "--a b\nContent-Type: text/plain\n\nhello\n--a b--\n")
        let codings = [
            "plain text\r\n", "plain text\r\n", "\0\r\n\u{c8}", "SGVsbG8s\r\nIHdvcmxkIQ==", "a=3Db=\r\nc =E9 \r\n",
        ]
        for (index, text) in codings.enumerated() { add("coding-\(index)", [UInt8(2 * index + 1), 4], text) }
        return seeds
    }

    private static let bodies: [(String, String)] = [
        (
            "form",
            "--b\nContent-Disposition: form-data; name=a\n\none\n--b\n"
                + "Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\nContent-Type: text/plain\n\nfile\n\n--b--\n"
        ),
        (
            "nested",
            "--b\nContent-Disposition: form-data; name=a\nContent-Type: multipart/mixed; boundary=c\n\n"
                + "--c\n\nx\n--c\nContent-Disposition: file; filename=y\n\nz\n--c--\n\n--b--"
        ),
        (
            "base64",
            "preamble\n--b\nContent-Disposition: form-data; name=a\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n--b--"
        ),
        (
            "quoted",
            "--b \nContent-Disposition: form-data; name=a\nContent-Transfer-Encoding: quoted-printable\n\na=3D=\nb\n--b--\nepilogue"
        ),
        ("alike", "--b\nContent-Disposition: form-data; name=a\n\n\n-\n--\n--a\r\n--b--"),
    ]
}
