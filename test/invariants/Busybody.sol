// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Busybody
/// @notice An account that is a contract: it approves what its key signed (ERC-1271), takes currency and approvals, and
/// once armed makes one call of its own into whoever calls it.
contract Busybody {
    address private immutable SIGNER;

    address private _victim;
    bytes private _call;
    bool private _armed;

    /// @notice Whether the call that it was armed with went through.
    bool public meddled;

    constructor(address signer) {
        SIGNER = signer;
    }

    receive() external payable {
        _meddle();
    }

    /// @dev `receiveResult`, and whatever else.
    fallback() external payable {
        _meddle();
    }

    function arm(address victim, bytes calldata data) external {
        _victim = victim;
        _call = data;
        _armed = true;
        meddled = false;
    }

    function disarm() external {
        _armed = false;
    }

    function receiveApproval(address, uint256, address, bytes calldata) external returns (bool) {
        _meddle();
        return true;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer, , ) = ECDSA.tryRecover(hash, signature);
        return signer == SIGNER ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    function _meddle() private {
        if (!_armed) return;
        _armed = false;
        (meddled, ) = _victim.call(_call);
    }
}
