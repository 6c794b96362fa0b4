// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IRegistry} from "../../contracts/interfaces/IRegistry.sol";
import {AppOrder, DatasetOrder, OrderKind, RequestOrder, WorkerpoolOrder} from "../../contracts/types/Orders.sol";
import {OrderHash} from "./OrderHash.sol";
import {Stage} from "./Stage.sol";

/// @title OrderBook
/// @notice All orders that were ever made, and what is left of each.
abstract contract OrderBook is Stage {
    using OrderHash for *;

    /// @dev `signedBy` made the signature that travels with the order, `presigner` signed last on chain.
    struct Kept {
        OrderKind kind;
        address entry;
        uint256 volume;
        uint256 consumed;
        address signedBy;
        address presigner;
        bool closed;
    }

    IRegistry[3] internal _registries;
    address[] internal _apps;
    address[] internal _datasets;
    address[] internal _workerpools;
    /// @dev Admits some of everything (ERC-734).
    address internal _group;
    bytes32 internal _domain;

    AppOrder[] internal _appOrders;
    DatasetOrder[] internal _datasetOrders;
    WorkerpoolOrder[] internal _workerpoolOrders;
    RequestOrder[] internal _requestOrders;
    bytes32[] internal _orderHashes;
    mapping(bytes32 orderHash => Kept) internal _kept;
    uint256 private _salts;

    /* LOOKING */

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domain, structHash);
    }

    function _hash(AppOrder memory order) internal view returns (bytes32) {
        return _digest(order.hash());
    }

    function _hash(DatasetOrder memory order) internal view returns (bytes32) {
        return _digest(order.hash());
    }

    function _hash(WorkerpoolOrder memory order) internal view returns (bytes32) {
        return _digest(order.hash());
    }

    function _hash(RequestOrder memory order) internal view returns (bytes32) {
        return _digest(order.hash());
    }

    /// @dev Who may sell the entry now; of a request, the entry is the requester.
    function _ownerOf(OrderKind kind, address entry) internal view returns (address) {
        return kind == OrderKind.REQUEST ? entry : _registries[uint256(kind)].registrantOf(entry);
    }

    /// @dev Signed by its owner of now, not closed, not used up. Everything else must not match.
    function _isAlive(bytes32 orderHash) internal view returns (bool) {
        Kept storage kept = _kept[orderHash];
        address owner = _ownerOf(kept.kind, kept.entry);
        if (owner == NOBODY || kept.closed || kept.consumed >= kept.volume) return false;
        return kept.signedBy == owner || kept.presigner == owner;
    }

    function _left(bytes32 orderHash) internal view returns (uint256) {
        return _kept[orderHash].volume - _kept[orderHash].consumed;
    }

    /* MAKING */

    function _keep(OrderKind kind, bytes32 orderHash, address entry, uint256 volume) internal returns (bytes memory) {
        Kept storage kept = _kept[orderHash];
        kept.kind = kind;
        kept.entry = entry;
        kept.volume = volume;
        _orderHashes.push(orderHash);
        return _signatureFor(kept, orderHash);
    }

    /// @dev Mostly by the owner of now; at times by somebody else, or by nobody.
    function _signatureFor(Kept storage kept, bytes32 orderHash) private returns (bytes memory) {
        uint256 kind = _draw(80);
        if (kind == 0) return "";
        address signer = kind == 1 ? _someone() : _ownerOf(kept.kind, kept.entry);
        uint256 key = _keyOf[signer];
        if (key == 0) return "";
        kept.signedBy = signer;
        // The contract among the actors reads the long form only.
        return kind < 24 && signer != _actors[BUSYBODY] ? _signShort(key, orderHash) : _sign(key, orderHash);
    }

    function _makeApp(AppOrder memory order) internal returns (AppOrder memory) {
        order.salt = _salt();
        order.sign = _keep(OrderKind.APP, _hash(order), order.app, order.volume);
        _appOrders.push(order);
        return order;
    }

    function _makeDataset(DatasetOrder memory order) internal returns (DatasetOrder memory) {
        order.salt = _salt();
        order.sign = _keep(OrderKind.DATASET, _hash(order), order.dataset, order.volume);
        _datasetOrders.push(order);
        return order;
    }

    function _makeWorkerpool(WorkerpoolOrder memory order) internal returns (WorkerpoolOrder memory) {
        order.salt = _salt();
        order.sign = _keep(OrderKind.WORKERPOOL, _hash(order), order.workerpool, order.volume);
        _workerpoolOrders.push(order);
        return order;
    }

    function _makeRequest(RequestOrder memory order) internal returns (RequestOrder memory) {
        order.salt = _salt();
        order.sign = _keep(OrderKind.REQUEST, _hash(order), order.requester, order.volume);
        _requestOrders.push(order);
        return order;
    }

    function _salt() private returns (bytes32) {
        return bytes32(++_salts);
    }

    /* DRAWING */

    function _someOf(address[] storage entries) internal returns (address) {
        if (_chance(120)) return address(uint160(_draw(9)));
        return entries[_draw(entries.length)];
    }

    /// @dev Mostly none; else one that admits the candidate, one that may, or one that does not.
    function _restriction(address candidate) internal returns (address) {
        uint256 kind = _draw(80);
        if (kind == 0) return _group;
        if (kind == 1) return _someone();
        return kind < 16 ? candidate : NOBODY;
    }

    /// @dev Mostly a few tasks; wide ones only where nothing is paid, so that a lifetime is enough to end them.
    function _volume(bool free) internal returns (uint256) {
        if (free && _chance(3)) return (1 << (20 + _draw(220))) - 1 + _draw(3);
        return _chance(40) ? 0 : 1 + _draw(4);
    }

    function _price() internal returns (uint256) {
        uint256 kind = _draw(12);
        if (kind == 0) return 0;
        if (kind == 1) return _draw(8);
        return kind == 2 ? 1 << _draw(92) : _draw(50e9);
    }
}
