// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Deal} from "../types/Deals.sol";

/// @title DealLib: the bytes of a deal that do not change and do not fit its slot
/// @notice A zero byte, a 24-bit header, the deal's id, app and owner, workerpool and owner, requester; then whatever the
/// header announces: dataset and owner, callback, sponsor, beneficiary, prices and tag without their leading zeros, the
/// terms that were too wide for the slot; params to the end.
library DealLib {
    /// @notice The numbers of a deal that its slot has room for as long as they are small.
    struct Terms {
        uint256 botFirst;
        uint256 botSize;
        uint256 timeref;
        uint256 category;
        uint256 trust;
        uint256 schedulerRewardRatio;
        uint256 workerStakeRatio;
    }

    uint256 internal constant ID_OFFSET = 4;
    uint256 internal constant WORKERPOOL_OFFSET = 76;

    // Header: lengths of three prices (4 bits each: what was locked fits 96 bits) and of the tag (6), then flags.
    uint256 private constant TAG_SHIFT = 12;
    uint256 private constant HAS_DATASET = 1 << 18;
    uint256 private constant HAS_CALLBACK = 1 << 19;
    uint256 private constant HAS_SPONSOR = 1 << 20;
    uint256 private constant BENEFITS_REQUESTER = 1 << 21;
    uint256 private constant HAS_BENEFICIARY = 1 << 22;
    uint256 private constant HAS_TERMS = 1 << 23;

    uint256 private constant TERMS_LENGTH = 7 * 32;
    /// @dev All members but params at their longest, and room for the last word written over the end.
    uint256 private constant MAX_HEAD_LENGTH = 136 + 40 + 60 + 36 + 32 + TERMS_LENGTH + 32;

    /// @dev Prices must be below 2^96: lock them before.
    function encode(
        Deal memory deal,
        bytes32 dealId,
        Terms memory terms,
        bool withTerms
    ) internal pure returns (bytes memory data) {
        uint256 header = _header(deal, withTerms);
        data = new bytes(MAX_HEAD_LENGTH + bytes(deal.params).length);
        uint256 start;
        assembly ("memory-safe") {
            start := add(data, 32)
        }
        uint256 end = _putHead(start, header, dealId, deal);
        if (header & HAS_DATASET != 0) {
            end = _putAddress(end, deal.dataset.pointer);
            end = _putAddress(end, deal.dataset.owner);
        }
        if (header & HAS_CALLBACK != 0) end = _putAddress(end, deal.callback);
        if (header & HAS_SPONSOR != 0) end = _putAddress(end, deal.sponsor);
        if (header & HAS_BENEFICIARY != 0) end = _putAddress(end, deal.beneficiary);
        end = _put(end, deal.app.price, header & 15);
        end = _put(end, deal.dataset.price, (header >> 4) & 15);
        end = _put(end, deal.workerpool.price, (header >> 8) & 15);
        end = _put(end, uint256(deal.tag), (header >> TAG_SHIFT) & 63);
        string memory params = deal.params;
        assembly ("memory-safe") {
            if withTerms {
                mcopy(end, terms, TERMS_LENGTH)
                end := add(end, TERMS_LENGTH)
            }
            mcopy(end, add(params, 32), mload(params))
            mstore(data, sub(add(end, mload(params)), start))
        }
    }

    /// @notice Fills in all of `deal` but what the slot knows.
    /// @return terms Where in memory the wide terms begin; zero if there are none.
    function decode(bytes memory data, Deal memory deal) internal pure returns (uint256 terms) {
        uint256 cursor;
        assembly ("memory-safe") {
            cursor := add(data, 32)
        }
        uint256 end = cursor + data.length;
        uint256 header;
        (header, cursor) = _take(cursor, 4);
        cursor += 32;
        (deal.app.pointer, cursor) = _takeAddress(cursor);
        (deal.app.owner, cursor) = _takeAddress(cursor);
        (deal.workerpool.pointer, cursor) = _takeAddress(cursor);
        (deal.workerpool.owner, cursor) = _takeAddress(cursor);
        (deal.requester, cursor) = _takeAddress(cursor);
        if (header & HAS_DATASET != 0) {
            (deal.dataset.pointer, cursor) = _takeAddress(cursor);
            (deal.dataset.owner, cursor) = _takeAddress(cursor);
        }
        if (header & HAS_CALLBACK != 0) (deal.callback, cursor) = _takeAddress(cursor);
        deal.sponsor = deal.requester;
        if (header & HAS_SPONSOR != 0) (deal.sponsor, cursor) = _takeAddress(cursor);
        if (header & BENEFITS_REQUESTER != 0) deal.beneficiary = deal.requester;
        if (header & HAS_BENEFICIARY != 0) (deal.beneficiary, cursor) = _takeAddress(cursor);
        (deal.app.price, cursor) = _take(cursor, header & 15);
        (deal.dataset.price, cursor) = _take(cursor, (header >> 4) & 15);
        (deal.workerpool.price, cursor) = _take(cursor, (header >> 8) & 15);
        uint256 tag;
        (tag, cursor) = _take(cursor, (header >> TAG_SHIFT) & 63);
        deal.tag = bytes32(tag);
        if (header & HAS_TERMS != 0) {
            terms = cursor;
            cursor += TERMS_LENGTH;
        }
        if (cursor < end) deal.params = _takeString(cursor, end - cursor);
    }

    /// @notice The wide terms that `decode` found.
    function termsAt(uint256 pointer) internal pure returns (Terms memory terms) {
        assembly ("memory-safe") {
            mcopy(terms, pointer, TERMS_LENGTH)
        }
    }

    function _takeString(uint256 cursor, uint256 length) private pure returns (string memory text) {
        text = new string(length);
        assembly ("memory-safe") {
            mcopy(add(text, 32), cursor, length)
        }
    }

    function _header(Deal memory deal, bool withTerms) private pure returns (uint256 header) {
        header = _lengthOf(deal.app.price);
        header |= _lengthOf(deal.dataset.price) << 4;
        header |= _lengthOf(deal.workerpool.price) << 8;
        header |= _lengthOf(uint256(deal.tag)) << TAG_SHIFT;
        if (deal.dataset.pointer != address(0)) header |= HAS_DATASET;
        if (deal.callback != address(0)) header |= HAS_CALLBACK;
        if (deal.sponsor != deal.requester) header |= HAS_SPONSOR;
        if (deal.beneficiary == deal.requester) header |= BENEFITS_REQUESTER;
        else if (deal.beneficiary != address(0)) header |= HAS_BENEFICIARY;
        if (withTerms) header |= HAS_TERMS;
    }

    function _lengthOf(uint256 value) private pure returns (uint256) {
        return value == 0 ? 0 : Math.log256(value) + 1;
    }

    /// @dev What every deal has. Each word written is long, and the next one is written over its end.
    function _putHead(
        uint256 cursor,
        uint256 header,
        bytes32 dealId,
        Deal memory deal
    ) private pure returns (uint256 next) {
        (address app, address appOwner) = (deal.app.pointer, deal.app.owner);
        (address workerpool, address workerpoolOwner) = (deal.workerpool.pointer, deal.workerpool.owner);
        address requester = deal.requester;
        assembly ("memory-safe") {
            mstore(cursor, shl(224, header))
            mstore(add(cursor, 4), dealId)
            mstore(add(cursor, 36), shl(96, app))
            mstore(add(cursor, 56), shl(96, appOwner))
            mstore(add(cursor, 76), shl(96, workerpool))
            mstore(add(cursor, 96), shl(96, workerpoolOwner))
            mstore(add(cursor, 116), shl(96, requester))
            next := add(cursor, 136)
        }
    }

    function _putAddress(uint256 cursor, address value) private pure returns (uint256) {
        return _put(cursor, uint256(uint160(value)), 20);
    }

    /// @dev Writes the low `length` bytes of `value`; what the word writes past them is written over or cut off.
    function _put(uint256 cursor, uint256 value, uint256 length) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mstore(cursor, shl(sub(256, shl(3, length)), value))
            next := add(cursor, length)
        }
    }

    function _takeAddress(uint256 cursor) private pure returns (address value, uint256 next) {
        uint256 word;
        (word, next) = _take(cursor, 20);
        value = address(uint160(word));
    }

    function _take(uint256 cursor, uint256 length) private pure returns (uint256 value, uint256 next) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, length)), mload(cursor))
            next := add(cursor, length)
        }
    }
}
