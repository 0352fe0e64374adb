// An HTTP/2 server of node's, with HTTP/1.1 by ALPN: says which version it spoke, echoes bodies, and pushes.
const http2 = require('node:http2');
const fs = require('node:fs');

const [certificate, key] = process.argv.slice(2);
const server = http2.createSecureServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key), allowHTTP1: true });
let refused = 0;
server.on('request', (request, response) => {
  if (request.url === '/push' && request.stream?.pushAllowed) {
    request.stream.pushStream({ ':path': '/pushed' }, (error, stream) => {
      if (!error) { stream.respond({ ':status': 200 }); stream.end('pushed'); }
    });
  }
  if (request.url === '/refuse' && refused++ < 2) return request.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  if (request.url === '/goaway') {
    request.stream.session.goaway(0, request.stream.id);
    return response.end('goaway');
  }
  if (request.url === '/destroy') return (request.stream ?? request.socket).destroy();
  if (request.url === '/trailers') {
    response.setHeader('trailer', 'x-sum');
    response.write('body');
    response.addTrailers({ 'x-sum': '1' });
    return response.end();
  }
  if (request.method === 'GET') return response.end('node over ' + request.httpVersion);
  request.pipe(response);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
