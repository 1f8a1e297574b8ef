#!/bin/sh
# Makes the golden files of this folder with the real Fabric 2.5.9 tools.
# Usage: regenerate.sh <folder of the Fabric binaries> <Fabric's sampleconfig folder>
# Everything is made anew, keys included, so all files change together; the keys are thrown away.
# Needs jq.
set -eu
bin=$1
sample=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
orderer_pid=
trap '[ -z "$orderer_pid" ] || kill "$orderer_pid"; rm -rf "$work"' EXIT
cd "$work"
cp "$sample/core.yaml" "$sample/orderer.yaml" "$here/configtx.yaml" .
chmod u+w ./*.yaml
"$bin/cryptogen" generate --config "$here/crypto-config.yaml"

export FABRIC_CFG_PATH=$work FABRIC_LOGGING_SPEC=error
export CORE_PEER_LOCALMSPID=Org1MSP CORE_PEER_TLS_ENABLED=false
admin() {
  org=$1
  shift
  CORE_PEER_LOCALMSPID=Org${org}MSP \
  CORE_PEER_MSPCONFIGPATH=$work/crypto-config/peerOrganizations/org$org.example.com/users/Admin@org$org.example.com/msp \
    "$bin/peer" "$@"
}

start_orderer() {
  rm -rf ledger
  ORDERER_GENERAL_LISTENADDRESS=127.0.0.1 ORDERER_GENERAL_LISTENPORT=37250 \
  ORDERER_GENERAL_BOOTSTRAPMETHOD=file ORDERER_GENERAL_BOOTSTRAPFILE=$work/system.block \
  ORDERER_GENERAL_LOCALMSPID=OrdererMSP ORDERER_FILELEDGER_LOCATION=$work/ledger \
  ORDERER_GENERAL_LOCALMSPDIR=$work/crypto-config/ordererOrganizations/example.com/orderers/orderer.example.com/msp \
  ORDERER_OPERATIONS_LISTENADDRESS=127.0.0.1:0 "$bin/orderer" >orderer.log 2>&1 &
  orderer_pid=$!
}

decode() { "$bin/configtxlator" proto_decode --type "$1" --input "$2"; }
encode() { "$bin/configtxlator" proto_encode --type "$1" --output "$2"; }

# $1 level (legacy|current), $2 profile prefix
channel() {
  "$bin/configtxgen" -profile "$2System" -channelID system -outputBlock system.block
  "$bin/configtxgen" -profile "$2Channel" -channelID "$1" -outputCreateChannelTx "$1.create.tx"
  "$bin/configtxgen" -profile "$2Whole" -channelID "$1-whole" -outputBlock "$1.whole.block"
  cp system.block "$1.system.block"
  start_orderer
  tries=0
  until admin 1 channel create -c "$1" -f "$1.create.tx" -o 127.0.0.1:37250 --outputBlock "$1.created.block" 2>create.log; do
    tries=$((tries + 1))
    [ $tries -lt 30 ] || { cat create.log orderer.log; exit 1; }
    sleep 1
  done
  decode common.Block "$1.created.block" | jq '.data.data[0].payload.data.config' >before.json
  # The update: a replaced value, a value more in an organisation, another policy.
  jq '.channel_group.groups.Application.values.ACLs = {"mod_policy": "Admins", "value": {"acls": {"qscc/GetChainInfo": {"policy_ref": "/Channel/Application/Writers"}}}, "version": "0"}
      | .channel_group.groups.Application.groups.Org1.values.AnchorPeers = {"mod_policy": "Admins", "value": {"anchor_peers": [{"host": "peer0", "port": 7051}]}, "version": "0"}
      | .channel_group.groups.Application.policies.Endorsement.policy.value.rule = "ANY"' before.json >after.json
  encode common.Config before.pb <before.json
  encode common.Config after.pb <after.json
  "$bin/configtxlator" compute_update --channel_id "$1" --original before.pb --updated after.pb --output "$1.update.pb"
  decode common.ConfigUpdate "$1.update.pb" >update.json
  echo "{\"payload\": {\"header\": {\"channel_header\": {\"channel_id\": \"$1\", \"type\": 2}}, \"data\": {\"config_update\": $(cat update.json)}}}" \
    | encode common.Envelope "$1.update.tx"
  admin 2 channel signconfigtx -f "$1.update.tx"
  cp "$1.update.tx" signed.tx
  admin 1 channel update -c "$1" -f signed.tx -o 127.0.0.1:37250
  admin 1 channel fetch 1 "$1.updated.block" -c "$1" -o 127.0.0.1:37250
  kill "$orderer_pid"
  wait "$orderer_pid" || true
  orderer_pid=
}

channel legacy Legacy
channel current Current
for level in legacy current; do
  for file in system.block create.tx created.block updated.block whole.block; do
    cp "$level.$file" "$here/"
    chmod 644 "$here/$level.$file"
  done
done
