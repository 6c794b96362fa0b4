// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IERC734} from "../interfaces/IERC734.sol";
import {HubStorage} from "./HubStorage.sol";

/// @title Signatures: is this digest approved by that account
/// @dev See ISignatures for the order in which ways of approval are tried.
abstract contract Signatures is HubStorage {
    /// @notice Digest of an EIP-712 struct under the Hub's domain.
    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domainSeparator(), structHash);
    }

    /// @dev By the key, by a transaction, or by the contract of the account.
    function _isApproved(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        return
            _isSignedByKey(account, digest, signature) ||
            _isPresigned(account, digest) ||
            _isSignedByContract(account, digest, signature);
    }

    /// @dev By the key or by the contract of the account.
    function _isSigned(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        return _isSignedByKey(account, digest, signature) || _isSignedByContract(account, digest, signature);
    }

    function _isPresigned(address account, bytes32 digest) internal view returns (bool) {
        return account != address(0) && _orders[digest].signer == account;
    }

    /// @dev What a message of 32 bytes is signed as by EIP-191.
    function _isSignedMessage(address account, bytes32 hash, bytes calldata signature) internal view returns (bool) {
        return _isSigned(account, MessageHashUtils.toEthSignedMessageHash(hash), signature);
    }

    /// @dev Whether an order restricted to `restriction` admits `candidate`.
    function _isAdmitted(address restriction, address candidate) internal view returns (bool) {
        if (restriction == address(0) || restriction == candidate) return true;
        bytes32 key = bytes32(uint256(uint160(candidate)));
        bytes memory question = abi.encodeCall(IERC734.keyHasPurpose, (key, GROUPMEMBER_PURPOSE));
        return _answers(restriction, question, bytes32(uint256(1)));
    }

    function _isSignedByKey(address account, bytes32 digest, bytes calldata signature) private pure returns (bool) {
        // Any length but 64 and 65 gives zeros, which recover to nobody.
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(signature);
        if (v == 0) return false;
        (address signer, ECDSA.RecoverError failure, ) = ECDSA.tryRecover(digest, v, r, s);
        return failure == ECDSA.RecoverError.NoError && signer == account;
    }

    function _isSignedByContract(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) private view returns (bool) {
        if (account.code.length == 0) return false;
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        return _answers(account, question, bytes32(IERC1271.isValidSignature.selector));
    }

    /// @dev One word of the answer is read, however long it is.
    function _answers(address target, bytes memory question, bytes32 expected) private view returns (bool) {
        bool answered;
        bytes32 answer;
        assembly ("memory-safe") {
            answered := staticcall(gas(), target, add(question, 32), mload(question), 0, 32)
            answered := and(answered, gt(returndatasize(), 31))
            answer := mload(0)
        }
        return answered && answer == expected;
    }
}
