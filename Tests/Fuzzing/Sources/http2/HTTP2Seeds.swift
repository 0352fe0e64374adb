import FuzzSupport
import HeliographTesting

extension HTTP2Target {
    /// The traffic of clients that are as they should be, and some that are not quite.
    static var seeds: [(name: String, bytes: [UInt8])] {
        var seeds: [(name: String, bytes: [UInt8])] = []
        for (name, build) in clients {
            for (suffix, head) in [("whole", [0, 0]), ("cut", [0, 7]), ("tight", [4, 2]), ("slow", [0x28, 9])]
                as [(String, [UInt8])]
            {
                let client = TestClient()
                build(client)
                seeds.append(("\(name)-\(suffix)", head + client.output()))
            }
        }
        for behaviour in Behaviour.allCases {
            let frames =
                FrameBuilder.request(stream: 1, method: "POST", path: behaviour.path, endsStream: false)
                + FrameBuilder.data(stream: 1, Array("hello".utf8), endsStream: true)
                + FrameBuilder.windowUpdate(stream: 0, by: 1 << 20) + FrameBuilder.windowUpdate(stream: 1, by: 1 << 20)
            seeds.append(("frames-\(behaviour)", [1, 0] + frames))
            // A request and a body, an end, more room, and a pause.
            seeds.append(
                (
                    "script-\(behaviour)",
                    [3, 5, 1, 0, behaviour.rawValue, 1, 0, 2, 0, 2, 200, 1, 5, 0, 0, 14, 9, 16, 17, 15]
                ))
        }
        return seeds
    }

    private static var clients: [(String, (TestClient) -> Void)] {
        [
            ("get", { $0.request("GET", "/t", [("accept", "*/*"), ("cookie", "a=b"), ("cookie", "c=d")]) }),
            (
                "post",
                {
                    $0.request(
                        "POST", "/a?b=c", [("content-type", "text/plain")], body: Array(repeating: 65, count: 3000))
                }
            ),
            (
                "many",
                { client in
                    for index in 0..<8 { client.request("GET", "/\(index)", [("priority", "u=\(index), i")]) }
                    client.ping([1, 2, 3, 4, 5, 6, 7, 8])
                }
            ),
            (
                "upload",
                { client in
                    let stream = client.request("PUT", "/d", [("expect", "100-continue")], isOpen: true)
                    client.send(Array("part".utf8), on: stream, finished: true, trailers: [("x-trailer", "t")])
                }
            ),
            (
                "reset",
                { client in
                    let stream = client.request("POST", "/p", isOpen: true)
                    client.reset(stream)
                    client.request("HEAD", "/r")
                }
            ),
        ]
    }
}
