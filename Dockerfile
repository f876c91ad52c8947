FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /tenantry ./cmd/tenantry && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /tenantry /usr/bin/tenantry
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/usr/bin/tenantry"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8080"]
