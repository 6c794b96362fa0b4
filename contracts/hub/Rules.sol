// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IDeals} from "../interfaces/IDeals.sol";
import {Resource} from "../types/Deals.sol";
import {OrderKind} from "../types/Orders.sol";
import {Signatures} from "./Signatures.sol";

/// @title Rules: what every order must fulfil to be used
abstract contract Rules is Signatures {
    /// @dev The owner of the asset, who must be known, signed the order.
    function _checkSigned(
        OrderKind kind,
        Resource memory resource,
        bytes32 structHash,
        bytes calldata signature
    ) internal view returns (bytes32 orderHash) {
        address owner = resource.owner;
        require(owner != address(0), IDeals.NotRegistered(kind, resource.pointer));
        orderHash = _digest(structHash);
        require(_isApproved(owner, orderHash, signature), IDeals.NotAuthentic(kind, orderHash, owner));
    }

    function _checkAdmitted(OrderKind by, OrderKind what, address restriction, address candidate) internal view {
        require(_isAdmitted(restriction, candidate), IDeals.Restricted(by, what, restriction, candidate));
    }

    function _checkPrice(OrderKind kind, uint256 price, uint256 maxPrice) internal pure returns (uint256) {
        require(price <= maxPrice, IDeals.Overpriced(kind, price, maxPrice));
        return price;
    }

    /// @dev What is left of an order's volume, which must be something.
    function _left(
        OrderKind kind,
        bytes32 orderHash,
        uint256 volume,
        uint256 consumed
    ) internal pure returns (uint256) {
        require(volume > consumed, IDeals.NothingLeft(kind, orderHash, volume));
        return volume - consumed;
    }
}
