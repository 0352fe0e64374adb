// Hummingbird 2 with TLS and HTTP/2, on one event loop.
//
//   hummingbird-peer PORT CERTIFICATE KEY
import Hummingbird
import HummingbirdHTTP2
import Logging
import NIOPosix
import NIOSSL

guard CommandLine.arguments.count == 4, let port = Int(CommandLine.arguments[1]) else {
    fatalError("usage: hummingbird-peer PORT CERTIFICATE KEY")
}

let chain = try NIOSSLCertificate.fromPEMFile(CommandLine.arguments[2]).map { NIOSSLCertificateSource.certificate($0) }
let tls = TLSConfiguration.makeServerConfiguration(
    certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: CommandLine.arguments[3], format: .pem))
)
let router = Router()
router.get("hello") { _, _ in
    Response(
        status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: ByteBuffer(string: "Hello, World!"))
    )
}
router.get("bytes/:count") { _, context in
    let count = try context.parameters.require("count", as: Int.self)
    return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: UInt8(ascii: "x"), count: count)))
}
var logger = Logger(label: "hummingbird-peer")
logger.logLevel = .error
let application = Application(
    router: router, server: try .http2Upgrade(tlsConfiguration: tls),
    configuration: .init(address: .hostname("127.0.0.1", port: port)),
    eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)), logger: logger)
try await application.runService()
